with

booked as (

    -- a swap, or a booking that was registered late, shows in the roster as that day's shift and not as the hour's
    select
        employee_id, unit_id,
        starts_at - $substitute_hours * interval '1' hour as begins,
        ends_at + $substitute_hours * interval '1' hour as ends
    from shifts
    where coalesce(status, 'planned') not in ('absent', 'cancelled')

),

substituted as (

    select access_id, 'substitute' as reason, 2 as strength
    from asked_accesses
    semi join booked
        on asked_accesses.employee_id = booked.employee_id
        and asked_accesses.care_unit_id = booked.unit_id
        and asked_accesses.unit_id is distinct from booked.unit_id
        and asked_accesses.recorded_at >= booked.begins
        and asked_accesses.recorded_at < booked.ends

)

select * from substituted
