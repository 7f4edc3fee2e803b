with

resolved as (

    select
        stored_accesses.*,
        coalesce(employee_key.id, stored_accesses.employee_id) as resolved_employee_id,
        coalesce(patient_key.id, stored_accesses.patient_id) as resolved_patient_id,
        coalesce(unit_key.id, stored_accesses.unit_id) as resolved_unit_id,
        coalesce(record_tables.related = 'record', false)
        and stored_accesses.record_ref is not null
        and patient_key.id is null as is_patient_unresolved
    from stored_accesses
    left join record_tables
        on stored_accesses.source_id = record_tables.source_id
        and stored_accesses.table_name = record_tables.table_name
    left join identifier_periods as employee_key
        on employee_key.kind = 'employee'
        and stored_accesses.source_id = employee_key.source_id
        and stored_accesses.employee_id = employee_key.identifier
        and stored_accesses.local_date >= employee_key.valid_from
        and stored_accesses.local_date < employee_key.valid_to
    left join identifier_periods as patient_key
        on patient_key.kind = 'patient'
        and stored_accesses.source_id = patient_key.source_id
        and stored_accesses.patient_id = patient_key.identifier
        and stored_accesses.local_date >= patient_key.valid_from
        and stored_accesses.local_date < patient_key.valid_to
    left join identifier_periods as unit_key
        on unit_key.kind = 'unit'
        and stored_accesses.source_id = unit_key.source_id
        and stored_accesses.unit_id = unit_key.identifier
        and stored_accesses.local_date >= unit_key.valid_from
        and stored_accesses.local_date < unit_key.valid_to

)

select * from resolved
