with

notes as (

    select
        employee_id, patient_id,
        recorded_at - $documented_care_hours * interval '1' hour as begins,
        recorded_at + $documented_care_hours * interval '1' hour as ends
    from period_accesses
    where is_access and action in ('write', 'sign', 'countersign')

),

documented as (

    select access_id, 'documented_care' as reason, 3 as strength
    from asked_accesses
    semi join notes
        on asked_accesses.employee_id = notes.employee_id
        and asked_accesses.patient_id = notes.patient_id
        and asked_accesses.recorded_at > notes.begins
        and asked_accesses.recorded_at < notes.ends

)

select * from documented
