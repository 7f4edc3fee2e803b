with

assigned as (

    select access_id, 'assigned_to_unit' as reason, 2 as strength
    from asked_accesses
    semi join unit_assignments
        on asked_accesses.employee_id = unit_assignments.employee_id
        and asked_accesses.care_unit_id = unit_assignments.unit_id
        and asked_accesses.local_date >= unit_assignments.valid_from
        and asked_accesses.local_date < unit_assignments.valid_to

)

select * from assigned
