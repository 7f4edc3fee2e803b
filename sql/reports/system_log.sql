with

found as (

    select
        event_id,
        local_date,
        -- a local hour beside the minutes in UTC: every zone of Norway and Sweden is whole hours from UTC
        lpad(cast(local_hour as varchar), 2, '0') || ':'
        || lpad(cast(extract(minute from recorded_at) as varchar), 2, '0') || ':'
        || lpad(cast(extract(second from recorded_at) as varchar), 2, '0') as time_local,
        log_type, employee_identifier, table_name, record_ref, message_type,
        meaning_en, meaning_sv, meaning_nb,
        is_confirmed, is_unknown_code, employee_id, employee_name, patient_id, patient_name,
        is_patient_unresolved, is_blocked, outcome, time_flag, source_id, recorded_at, item,
        cast(access_id as varchar) as access_id
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
        and ($table_name is null or table_name = $table_name)
        and ($log_type is null or log_type = $log_type)

)

select * from found order by recorded_at, source_id, event_id, item, access_id
