with

events as (

    select
        source_id, event_id, lower(trim(coalesce(account, employee_id))) as account, kind, recorded_at,
        network_address, greatest(cast(repeated as bigint), 1) as n_times, recorded_at >= $start_at as is_of_period
    from authentications
    where
        recorded_at >= $start_at - $spraying_minutes * interval '1' minute and recorded_at < $end_at
        and network_address is not null and kind in ('failure', 'login')

),

neighbours as (

    -- an account counts at an address from its first failure until the set time after its last
    select
        network_address, recorded_at, recorded_at + $spraying_minutes * interval '1' minute as until_at,
        lag(recorded_at) over here as before_at, lead(recorded_at) over here as next_at
    from events
    where kind = 'failure' and account is not null
    window here as (partition by network_address, account order by recorded_at, source_id, event_id)

),

steps as (

    select network_address, recorded_at, 1 as step
    from neighbours
    where before_at is null or before_at < recorded_at - $spraying_minutes * interval '1' minute
    union all
    select network_address, until_at as recorded_at, -1 as step
    from neighbours
    where next_at is null or next_at > until_at

),

at_once as (

    select
        network_address, recorded_at,
        sum(step) over (partition by network_address order by recorded_at, step desc) as n_accounts
    from steps

),

most as (

    select network_address, max(n_accounts) as n_at_once
    from at_once
    where recorded_at >= $start_at
    group by network_address

),

addresses as (

    -- behind one address a whole house may sit: there more accounts get in than fail
    select
        events.network_address, cast(max(most.n_at_once) as bigint) as n_at_once,
        min(recorded_at) filter (where kind = 'failure') as first_at,
        max(recorded_at) filter (where kind = 'failure') as last_at,
        count(*) filter (where kind = 'failure') as n_events,
        cast(sum(n_times) filter (where kind = 'failure') as bigint) as n_failures,
        count(distinct account) filter (where kind = 'failure') as n_accounts,
        count(distinct account) filter (where kind = 'login') as n_let_in
    from events
    inner join most on events.network_address = most.network_address
    where is_of_period and most.n_at_once >= $sprayed_accounts
    group by events.network_address

)

select * from addresses
