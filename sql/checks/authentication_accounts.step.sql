with

events as (

    -- just before the period too: a burst may go over midnight; an account is typed in letters of any case
    select
        coalesce(employee_id, account) as subject, unit_id, kind, recorded_at, local_date,
        lower(trim(coalesce(account, employee_id))) as account, coalesce(account, employee_id) as written,
        network_address, greatest(cast(repeated as bigint), 1) as n_times, recorded_at >= $start_at as is_of_period
    from authentications
    where
        recorded_at >= $start_at - $failed_login_minutes * interval '1' minute and recorded_at < $end_at
        and coalesce(account, employee_id) is not null

),

recent as (

    select
        *,
        sum(case when kind = 'failure' then n_times else 0 end) over lately >= $failed_logins_in_burst as is_burst,
        min(case when kind = 'failure' then recorded_at end) over lately as burst_at
    from events
    window lately as (
        partition by account order by recorded_at
        range between $failed_login_minutes * interval '1' minute preceding and current row
    )

),

accounts as (

    select
        recent.account, max(subject) as subject, max(unit_id) as unit_id, max(written) as written,
        min(recorded_at) as seen_at, min(burst_at) filter (where is_burst) as burst_at, max(recorded_at) as last_at,
        min(recorded_at) filter (where kind in ('failure', 'lockout')) as attempt_at,
        max(recorded_at) filter (where kind in ('failure', 'lockout') or is_burst) as last_attempt_at,
        count(*) filter (where kind in ('failure', 'lockout') or (kind = 'login' and is_burst)) as n_attempts,
        cast(coalesce(sum(n_times) filter (where kind = 'failure'), 0) as bigint) as n_failures,
        count(distinct network_address) filter (where kind = 'failure') as n_addresses,
        cast(coalesce(sum(n_times) filter (where kind = 'lockout'), 0) as bigint) as n_lockouts,
        count(*) filter (where kind = 'login') as n_logins,
        count(*) filter (where kind = 'login' and is_burst) as n_entries,
        count(*) filter (where gaps.left_from is not null) as n_after_end,
        min(recorded_at) filter (where gaps.left_from is not null) as after_end_at
    from recent
    left join employment_gaps as gaps
        on recent.subject = gaps.employee_id and recent.kind = 'login' and recent.local_date < gaps.left_to
        and recent.local_date >= gaps.left_from + cast($employment_grace_days as integer)
    where is_of_period
    group by recent.account

)

select * from accounts
