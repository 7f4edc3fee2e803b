with

found as (

    -- without a subject, every attempt: an address that tries many accounts belongs to nobody
    select
        recorded_at, local_date, coalesce(employee_id, account) as employee_id, employee_name, account, kind, reason,
        repeated, network_address, country, device, session_id, time_flag, source_id, event_id
    from authentications
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and (
            coalesce(employee_id, account) = $employee_id
            or ($employee_id is null and kind in ('failure', 'lockout', 'log_cleared'))
        )

)

select * from found order by recorded_at, source_id, event_id
