with

together as (

    select
        case
            when is_access then 'access' when is_patient_search or is_blocked_search then 'search'
            when outcome in ('denied', 'failed') then 'attempt' else 'other'
        end as kind,
        source_id, event_id, item, recorded_at, local_date, employee_id, cast(null as varchar) as account, unit_id,
        patient_id, network_address, country as logged_country, session_id
    from period_accesses
    union all
    select
        kind, source_id, event_id, 0 as item, recorded_at, local_date,
        coalesce(employee_id, account) as employee_id, account, unit_id,
        cast(null as varchar) as patient_id, network_address, country as logged_country, session_id
    from period_authentications

),

placed as (

    select
        together.* exclude (logged_country),
        -- what somebody did who was let in; log-outs may come from a clock that ran out
        together.kind in ('access', 'search', 'login', 'password_change') as is_use,
        period_places.country, period_places.country_group, period_places.network_kind, period_places.place
    from together
    left join period_places
        on together.local_date = period_places.local_date
        and together.network_address is not distinct from period_places.network_address
        and together.logged_country is not distinct from period_places.logged_country

)

select * from placed
