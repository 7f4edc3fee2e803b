with

listed as (

    select access_id, employee_id, patient_id, unit_id, recorded_at, local_date, is_access, is_patient_search
    from period_accesses
    where
        (is_access or is_patient_search) and not is_patient_unresolved
        and exists (
            select 1 from media_interest
            where period_accesses.patient_id = media_interest.patient_id
                and period_accesses.local_date >= media_interest.valid_from
                and period_accesses.local_date < media_interest.valid_to
        )

),

explained_pairs as (

    select distinct period_accesses.employee_id, period_accesses.patient_id
    from period_accesses
    inner join explained_rows on period_accesses.access_id = explained_rows.access_id
    where period_accesses.is_access and period_accesses.patient_id in (select patient_id from listed)

),

seen as (

    -- a search has no reason of its own: an opening of the same person that has one explains it
    select *
    from listed
    where
        case
            when is_patient_search then not exists (
                select 1 from explained_pairs
                where explained_pairs.employee_id = listed.employee_id
                    and explained_pairs.patient_id = listed.patient_id
            )
            else not exists (select 1 from explained_rows where explained_rows.access_id = listed.access_id)
        end

),

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        count(*) filter (where is_patient_search) as n_searches,
        count(*) filter (where not is_patient_search) as n_accesses
    from seen
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'media_interest', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'media_interest' as check_id,
        -- one day's search for a name that others may have too
        case when n_accesses > 0 or n_days >= $alert_days then 'breach' else 'targeted' end as stream,
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
