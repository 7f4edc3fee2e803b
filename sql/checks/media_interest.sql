with

explained_pairs as (

    select distinct period_accesses.employee_id, period_accesses.patient_id
    from period_accesses
    semi join explained_accesses on period_accesses.access_id = explained_accesses.access_id

),

seen as (

    -- a search has no reason of its own: an opening of the same person that has one explains it
    select employee_id, patient_id, unit_id, recorded_at, local_date, is_patient_search
    from period_accesses
    where
        is_patient_search and patient_id is not null
        and not exists (
            select 1 from explained_pairs
            where explained_pairs.employee_id = period_accesses.employee_id
                and explained_pairs.patient_id = period_accesses.patient_id
        )
    union all
    select employee_id, patient_id, unit_id, recorded_at, local_date, false as is_patient_search
    from unexplained_accesses

),

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        count(*) filter (where is_patient_search) as n_searches,
        count(*) filter (where not is_patient_search) as n_accesses
    from seen
    where exists (
        select 1 from media_interest
        where seen.patient_id = media_interest.patient_id
            and seen.local_date >= media_interest.valid_from and seen.local_date < media_interest.valid_to
    )
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'media_interest', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'media_interest' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when n_accesses = 0 then 'searched_only' else 'opened' end as reason_code,
        {'n_searches': n_searches, 'n_accesses': n_accesses, 'n_days': n_days} as reason_values,
        case when n_accesses = 0 then 2 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
