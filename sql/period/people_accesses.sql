with

in_period as (

    -- as period_accesses, of the people asked about alone
    select
        access_id, source_id, event_id, item, recorded_at, local_date, local_hour, local_weekday, is_holiday,
        employee_id, role, unit_id, unit_type, patient_id, patient_unit_id, action, area, table_name, record_ref,
        outcome, is_access, is_patient_search, is_blocked_search, is_blocked, is_break_glass, purpose,
        network_address, country, session_id, is_patient_unresolved
    from accesses
    where
        ($start_at is null or recorded_at >= $start_at) and ($end_at is null or recorded_at < $end_at)
        and ($patient_id is null or patient_id = $patient_id)
        and ($patient_id is null or patient_identifier in (
            select prefix || $patient_id from identifier_prefixes
            union all
            select identifier from patient_identifiers where patient_id = $patient_id
        ))
        and ($employee_id is null or employee_id = $employee_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
        and ($of_readers is null or employee_id in (select employee_id from readers))
        and ($of_readers is null or employee_identifier in (
            select employee_id from readers
            union all
            select employee_identifiers.identifier
            from employee_identifiers
            semi join readers on employee_identifiers.employee_id = readers.employee_id
        ))

),

located as (

    -- the log's own word for the patient's unit comes first: it was written as it was that day
    select
        in_period.* exclude (patient_unit_id),
        coalesce(unit_key.id, in_period.patient_unit_id, patients.unit_id) as care_unit_id
    from in_period
    left join identifier_periods as unit_key
        on unit_key.kind = 'unit'
        and in_period.source_id = unit_key.source_id
        and in_period.patient_unit_id = unit_key.identifier
        and in_period.local_date >= unit_key.valid_from
        and in_period.local_date < unit_key.valid_to
    left join patients
        on in_period.patient_id = patients.patient_id
        and in_period.local_date >= patients.valid_from
        and in_period.local_date < patients.valid_to

)

select * from located
