with

worked as (

    -- hand-over and what is written up after the shift belong to it
    select
        employee_id, unit_id,
        starts_at - $shift_tolerance_minutes * interval '1' minute as begins,
        ends_at + ($shift_tolerance_minutes + $hand_over_minutes) * interval '1' minute as ends
    from shifts
    where coalesce(status, 'planned') not in ('absent', 'cancelled', 'swapped') and kind <> 'other'

),

on_shift as (

    select access_id, 'on_shift' as reason, 3 as strength
    from asked_accesses
    semi join worked
        on asked_accesses.employee_id = worked.employee_id
        and asked_accesses.care_unit_id = worked.unit_id
        and asked_accesses.recorded_at >= worked.begins
        and asked_accesses.recorded_at < worked.ends

)

select * from on_shift
