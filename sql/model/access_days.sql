with

days as (

    select
        employee_id,
        patient_id,
        local_date,
        min(unit_id) as unit_id,
        min(role) as role,
        min(unit_type) as unit_type,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at,
        count(*) as n_accesses,
        count(*) filter (where action = 'read') as n_read,
        count(*) filter (where action in ('write', 'delete', 'sign', 'countersign')) as n_written,
        count(*) filter (where action in ('print', 'export')) as n_printed,
        bool_or(is_blocked) as is_blocked
    from accesses
    where is_access and patient_id is not null and not is_patient_unresolved
    group by employee_id, patient_id, local_date

)

select * from days
