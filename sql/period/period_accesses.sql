with

in_period as (

    -- attempts and searches too: each check says itself what it counts
    select
        access_id, source_id, event_id, item, recorded_at, local_date, local_hour, local_weekday, is_holiday,
        employee_id, role, unit_id, unit_type, patient_id, patient_unit_id, action, area, table_name, record_ref,
        outcome, is_access, is_patient_search, is_blocked_search, is_blocked, is_break_glass, purpose,
        network_address, country, session_id, is_patient_unresolved
    from accesses
    where recorded_at >= $start_at and recorded_at < $end_at

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
