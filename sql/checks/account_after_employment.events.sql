with

found as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        activity_en, activity_sv, activity_nb,
        concat_ws(', ', access_type_en, network_address, country) as access_type_en,
        concat_ws(', ', access_type_sv, network_address, country) as access_type_sv,
        concat_ws(', ', access_type_nb, network_address, country) as access_type_nb,
        action, outcome, is_blocked, is_break_glass, is_confirmed, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and employee_id is not distinct from $employee_id
        and ($patient_id is null or patient_id = $patient_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
    union all
    select
        recorded_at, coalesce(employee_id, account) as employee_id, coalesce(employee_name, account) as employee_name,
        cast(null as varchar) as patient_id, cast(null as varchar) as patient_name,
        activity_en, activity_sv, activity_nb,
        concat_ws(', ', reason, network_address, country) as access_type_en,
        concat_ws(', ', reason, network_address, country) as access_type_sv,
        concat_ws(', ', reason, network_address, country) as access_type_nb,
        kind as action,
        case kind when 'login' then 'success' when 'failure' then 'failed' else 'unknown' end as outcome,
        cast(null as boolean) as is_blocked, false as is_break_glass, true as is_confirmed, time_flag, source_id,
        event_id, 0 as item, cast(null as varchar) as access_id
    from authentications
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and $patient_id is null and coalesce(employee_id, account) is not distinct from $employee_id

)

select * from found order by recorded_at, source_id, event_id, item
