with

unexplained as (

    -- a search with a reason is counted and not asked about: who cares for a patient searches for the patient
    select employee_id, patient_id, unit_id, recorded_at, local_date
    from period_accesses
    anti join explained_rows on period_accesses.access_id = explained_rows.access_id
    where is_blocked_search

),

pairs as (

    select
        employee_id, patient_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days
    from unexplained
    group by employee_id, patient_id

),

judged as (

    select
        pairs.*,
        case
            when missing_reasons.employee_id is null and n_events >= $minimum_blocked_searches then 'breach'
            else 'targeted'
        end as stream
    from pairs
    left join missing_reasons on pairs.employee_id = missing_reasons.employee_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'blocked_searches', coalesce(employee_id, ''), coalesce(patient_id, ''),
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'blocked_searches' as check_id, stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        'blocked_search' as reason_code,
        {'n_searches': n_events, 'n_days': n_days} as reason_values,
        case when n_events >= $minimum_blocked_searches then 2 else 1 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from judged

)

select * from findings order by severity desc, n_events desc, employee_id, patient_id, finding_id
