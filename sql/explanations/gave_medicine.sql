with

given as (

    select
        employee_id, patient_id,
        recorded_at - $documented_care_hours * interval '1' hour as begins,
        recorded_at + $documented_care_hours * interval '1' hour as ends
    from medication_events
    where
        kind in ('administration', 'waste', 'return')
        and ($start_at is null or recorded_at > $start_at - $documented_care_hours * interval '1' hour)
        and ($end_at is null or recorded_at < $end_at + $documented_care_hours * interval '1' hour)

),

medicine as (

    select access_id, 'gave_medicine' as reason, 3 as strength
    from asked_accesses
    semi join given
        on asked_accesses.employee_id = given.employee_id
        and asked_accesses.patient_id = given.patient_id
        and asked_accesses.recorded_at > given.begins
        and asked_accesses.recorded_at < given.ends

)

select * from medicine
