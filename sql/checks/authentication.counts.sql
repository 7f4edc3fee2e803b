with

events as (

    select
        kind, local_date, lower(trim(coalesce(account, employee_id))) as account, network_address,
        greatest(cast(repeated as bigint), 1) as n_times, kind in ('failure', 'lockout') as is_attempt,
        exists (
            select 1 from employee_identifiers as known where known.employee_id = authentications.employee_id
        ) as is_known
    from authentications
    where recorded_at >= $start_at and recorded_at < $end_at

),

parted as (

    select 'all_by_kind' as breakdown, kind as part, * exclude (kind, local_date) from events
    union all
    select 'attempts_by_day', cast(local_date as varchar), * exclude (kind, local_date) from events where is_attempt
    union all
    select 'attempts_by_account', coalesce(account, '-'), * exclude (kind, local_date) from events where is_attempt
    union all
    select 'unjudged_without_account', kind, * exclude (kind, local_date) from events where account is null
    union all
    select 'unjudged_without_address', kind, * exclude (kind, local_date) from events where network_address is null

),

counted as (

    select
        breakdown, part, count(*) as n_rows, cast(sum(n_times) as bigint) as n_times,
        count(distinct account) as n_accounts, count(distinct account) filter (where not is_known) as n_unknown,
        count(distinct network_address) as n_addresses
    from parted
    group by breakdown, part

),

ranked as (

    select *, row_number() over (partition by breakdown order by n_times desc, part) as place from counted

),

shown as (

    -- of the accounts the twenty with most attempts; the other breakdowns are short
    select breakdown, part, n_rows, n_times, n_accounts, n_unknown, n_addresses
    from ranked
    where breakdown <> 'attempts_by_account' or place <= 20

)

select * from shown order by breakdown, part
