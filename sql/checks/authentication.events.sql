with

found as (

    -- without a subject, every attempt: an address that tries many accounts belongs to nobody
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
        and $patient_id is null
        and (
            coalesce(employee_id, account) = $employee_id
            or ($employee_id is null and kind in ('failure', 'lockout', 'log_cleared'))
        )

)

select * from found order by recorded_at, source_id, event_id, item
