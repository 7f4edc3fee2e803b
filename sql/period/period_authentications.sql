with

in_period as (

    -- an account that resolves to nobody is its own subject
    select
        source_id, event_id, recorded_at, local_date, employee_id, account, kind, unit_id, network_address, country,
        session_id
    from authentications
    where recorded_at >= $start_at and recorded_at < $end_at

)

select * from in_period
