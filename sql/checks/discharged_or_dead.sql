with

deaths as (

    select patient_id, min(died_on) as died_on
    from (
        select patient_id, valid_from as died_on from patient_flags where flag = 'deceased'
        union all
        select patient_id, cast(ends_at as date) as died_on from stays where end_reason = 'deceased'
    ) as stated
    group by patient_id

),

last_stays as (

    -- of the stays begun by then, the latest end; a stay that still runs ends in the year 9999
    select seen.access_id, max(stays.ends_at) as left_at
    from unexplained_accesses as seen
    inner join stays on seen.patient_id = stays.patient_id and stays.starts_at <= seen.recorded_at
    group by seen.access_id

),

judged as (

    select
        seen.employee_id, seen.patient_id, seen.unit_id, seen.recorded_at, seen.local_date,
        coalesce(date_diff('day', deaths.died_on, seen.local_date) > $documentation_days, false) as is_dead,
        coalesce(date_diff('day', cast(last_stays.left_at as date), seen.local_date) > $documentation_days, false)
            as is_discharged
    from unexplained_accesses as seen
    left join deaths on seen.patient_id = deaths.patient_id
    left join last_stays on seen.access_id = last_stays.access_id

),

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        bool_or(is_dead) as is_dead
    from judged
    where is_dead or is_discharged
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'discharged_or_dead', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'discharged_or_dead' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when is_dead then 'dead' else 'discharged' end as reason_code,
        {'n_accesses': n_events, 'n_days': n_days, 'days': $documentation_days} as reason_values,
        2 as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
