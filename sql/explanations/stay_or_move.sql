with

near as (

    select
        patient_id, unit_id,
        starts_at - $stay_days * interval '1' day as begins,
        least(ends_at, timestamp '9990-01-01') + $stay_days * interval '1' day as ends
    from stays

),

here as (

    -- whose patient it was: the unit that someone is assigned to, days before a move there and after one from there
    select near.patient_id, near.begins, near.ends, unit_assignments.employee_id,
        unit_assignments.valid_from, unit_assignments.valid_to
    from near
    inner join unit_assignments on near.unit_id = unit_assignments.unit_id

),

stayed as (

    select access_id, 'stay_or_move' as reason, 2 as strength
    from asked_accesses
    semi join here
        on asked_accesses.employee_id = here.employee_id
        and asked_accesses.patient_id = here.patient_id
        and asked_accesses.recorded_at >= here.begins
        and asked_accesses.recorded_at < here.ends
        and asked_accesses.local_date >= here.valid_from
        and asked_accesses.local_date < here.valid_to

)

select * from stayed
