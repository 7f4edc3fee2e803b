with

days as (

    select
        coalesce(employee_id, account) as employee_id, lower(trim(coalesce(account, employee_id))) as account,
        local_date, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events
    from authentications
    where
        recorded_at >= $start_at and recorded_at < $end_at and kind in ('failure', 'lockout')
        and coalesce(account, employee_id) is not null
    group by coalesce(employee_id, account), lower(trim(coalesce(account, employee_id))), local_date

),

units_of_sampling as (

    select
        coalesce(unit_id, '-') as stratum, concat_ws('|', employee_id, account, cast(local_date as varchar))
            as unit_key,
        employee_id, cast(null as varchar) as patient_id, local_date, unit_id, first_at, last_at, n_events
    from days

)

select * from units_of_sampling
