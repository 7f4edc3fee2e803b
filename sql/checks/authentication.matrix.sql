with

counted as (

    select
        coalesce(unit_id, '-') as unit_id,
        cast(coalesce(sum(greatest(cast(repeated as bigint), 1)) filter (where kind = 'failure'), 0) as bigint)
            as n_failures,
        cast(coalesce(sum(greatest(cast(repeated as bigint), 1)) filter (where kind = 'lockout'), 0) as bigint)
            as n_lockouts,
        count(*) filter (where kind = 'login') as n_logins,
        count(distinct lower(trim(coalesce(account, employee_id)))) as n_accounts,
        count(distinct lower(trim(coalesce(account, employee_id)))) filter (where kind in ('failure', 'lockout'))
            as n_attempted
    from authentications
    where recorded_at >= $start_at and recorded_at < $end_at
    group by coalesce(unit_id, '-')

)

select * from counted order by n_failures desc, unit_id
