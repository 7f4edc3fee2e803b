with

marked as (

    select
        stored_accesses.*,
        coalesce(
            stored_accesses.patient_id = stored_accesses.table_name || ':' || stored_accesses.record_ref, false
        ) as is_named_by_record,
        coalesce(record_tables.related, 'unknown') as related
    from stored_accesses
    left join record_tables
        on stored_accesses.source_id = record_tables.source_id
        and stored_accesses.table_name = record_tables.table_name

),

identified as (

    -- whose number a related record is, today's dictionary says; of an unknown table it may be any patient's record
    select
        *,
        case
            when is_named_by_record and related = 'patient' then record_ref
            when not is_named_by_record or related <> 'none' then patient_id
        end as patient_identifier,
        (is_named_by_record and related in ('record', 'unknown'))
        or (patient_id is null and record_ref is not null and related = 'record') as needs_record_key
    from marked

),

resolved as (

    select
        identified.* exclude (is_named_by_record, related, patient_identifier, needs_record_key),
        coalesce(employee_key.id, identified.employee_id) as resolved_employee_id,
        coalesce(patient_key.id, identified.patient_identifier) as resolved_patient_id,
        coalesce(unit_key.id, identified.unit_id) as resolved_unit_id,
        identified.needs_record_key and patient_key.id is null as is_patient_unresolved
    from identified
    left join identifier_periods as employee_key
        on employee_key.kind = 'employee'
        and identified.source_id = employee_key.source_id
        and identified.employee_id = employee_key.identifier
        and identified.local_date >= employee_key.valid_from
        and identified.local_date < employee_key.valid_to
    left join identifier_periods as patient_key
        on patient_key.kind = 'patient'
        and identified.source_id = patient_key.source_id
        and identified.patient_identifier = patient_key.identifier
        and identified.local_date >= patient_key.valid_from
        and identified.local_date < patient_key.valid_to
    left join identifier_periods as unit_key
        on unit_key.kind = 'unit'
        and identified.source_id = unit_key.source_id
        and identified.unit_id = unit_key.identifier
        and identified.local_date >= unit_key.valid_from
        and identified.local_date < unit_key.valid_to

)

select * from resolved
