with

people as (

    select
        employee_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        case when min(patient_id) = max(patient_id) then min(patient_id) end as patient_id,
        count(*) as n_events, count(distinct patient_id) as n_patients
    from followed_searches
    -- a search for the own unit's patient has its reason, opened or not
    anti join explained_rows on followed_searches.access_id = explained_rows.access_id
    where not is_followed
    group by employee_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'searches_without_opening', employee_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'searches_without_opening' as check_id,
        case when n_patients >= 2 * $minimum_unopened_patients then 'breach' else 'targeted' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_patients as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        'unopened_searches' as reason_code,
        {'n_searches': n_events, 'n_patients': n_patients, 'minutes': $search_followed_minutes} as reason_values,
        case when n_patients >= 2 * $minimum_unopened_patients then 2 else 1 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people
    where n_patients >= $minimum_unopened_patients

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
