with

judged as (

    select
        *,
        case
            when n_entries > 0 then 'success_after_burst' when n_after_end > 0 then 'employment_ended'
            when burst_at is not null then 'burst' when n_lockouts >= $lockouts_of_account then 'lockouts'
            when n_logins > 0 and account not like '%$' and exists (select 1 from employees) and not exists (
                select 1 from employee_identifiers as known where known.employee_id = authentication_accounts.subject
            ) then 'unknown_account'
        end as reason_code
    from authentication_accounts

),

subjects as (

    select
        reason_code, account as subject_key, subject as employee_id, unit_id, written as account, '-' as address,
        case
            when reason_code = 'employment_ended' then after_end_at when reason_code = 'unknown_account' then seen_at
            else coalesce(burst_at, attempt_at)
        end as first_at,
        case when reason_code in ('employment_ended', 'unknown_account') then last_at else last_attempt_at end
            as last_at,
        case
            when reason_code = 'employment_ended' then n_after_end when reason_code = 'unknown_account' then n_logins
            else n_attempts
        end as n_events,
        n_failures, n_lockouts, n_logins, n_entries, n_after_end, n_addresses, 1 as n_accounts
    from judged
    where reason_code is not null
    union all
    select
        'spraying' as reason_code, network_address as subject_key, null as employee_id, null as unit_id, '-' as account,
        network_address as address, first_at, last_at, n_events, n_failures, 0 as n_lockouts, n_let_in as n_logins,
        0 as n_entries, 0 as n_after_end, 1 as n_addresses, n_accounts
    from authentication_addresses
    where n_accounts > n_let_in
    union all
    select
        'log_cleared' as reason_code, source_id || '|' || event_id as subject_key,
        coalesce(employee_id, account) as employee_id, unit_id, coalesce(account, employee_id, '-') as account,
        coalesce(network_address, device, '-') as address, recorded_at as first_at, recorded_at as last_at,
        1 as n_events, 0 as n_failures, 0 as n_lockouts, 0 as n_logins, 0 as n_entries, 0 as n_after_end,
        0 as n_addresses, 1 as n_accounts
    from authentications
    where kind = 'log_cleared' and recorded_at >= $start_at and recorded_at < $end_at

),

findings as (

    select
        sha256(concat_ws(
            '|', 'authentication', reason_code, subject_key, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'authentication' as check_id, 'breach' as stream,
        employee_id, cast(null as varchar) as patient_id, unit_id, first_at, last_at, n_events,
        cast(case when reason_code = 'spraying' then n_accounts else greatest(n_failures, n_events) end
            as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, reason_code,
        {
            'account': account, 'address': address, 'n_failures': n_failures, 'n_lockouts': n_lockouts,
            'n_logins': n_logins, 'n_entries': n_entries, 'n_after_end': n_after_end, 'n_addresses': n_addresses,
            'n_accounts': n_accounts, 'burst': $failed_logins_in_burst, 'minutes': $failed_login_minutes,
            'spraying_minutes': $spraying_minutes
        } as reason_values,
        case
            when reason_code in ('success_after_burst', 'employment_ended', 'log_cleared') then 3
            when reason_code = 'unknown_account' then 1 else 2
        end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from subjects

)

select * from findings order by severity desc, measure desc, reason_code, employee_id, finding_id
