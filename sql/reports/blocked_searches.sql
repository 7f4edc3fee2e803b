with

found as (

    select
        recorded_at, employee_id, employee_name, role, unit_id, unit_name, patient_id, patient_name,
        log_type, meaning_en, meaning_sv, meaning_nb, is_blocked, is_confirmed, outcome, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
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
        and is_blocked_search

)

select * from found order by recorded_at, source_id, event_id, item, access_id
