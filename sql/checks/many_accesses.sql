with

months as (

    -- the earlier months that a run has counted; with this one at most twelve
    select distinct month from lake.unexplained_days
    where
        month < cast($start_at + interval '12' hour as date)
        and month >= cast($end_at - interval '12' hour as date) - interval '12' month

),

earlier as (

    select days.employee_id, days.patient_id, count(*) as n_days
    from lake.unexplained_days as days
    semi join months on days.month = months.month
    where days.employee_id is not null and days.patient_id is not null
    group by days.employee_id, days.patient_id

),

seen as (

    select
        employee_id, patient_id, role, unit_id, unit_type, recorded_at, local_date, is_blocked,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name order by recorded_at, event_id, item
        ) as previous_at
    from unexplained_accesses
    where employee_id is not null

),

pairs as (

    select
        employee_id, patient_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        max(role) as role, max(unit_type) as unit_type, count(*) as n_events, bool_or(is_blocked) as is_blocked,
        count(distinct local_date) as n_days,
        count(*) filter (
            where previous_at is null
            or date_diff('microsecond', previous_at, recorded_at) >= $opening_gap_minutes * 60000000
        ) as n_openings
    from seen
    group by employee_id, patient_id

),

counted as (

    select
        pairs.*, pairs.n_days + coalesce(earlier.n_days, 0) as n_days_in_all,
        (select count(*) from months) + 1 as n_months
    from pairs
    left join earlier on pairs.employee_id = earlier.employee_id and pairs.patient_id = earlier.patient_id

),

tested as (

    -- both counts of every pair are tests: whoever is left out here would be left out of the false-discovery rate
    select 'many_openings' as reason_code, n_openings as n_tested, $minimum_openings as least, * from counted
    union all
    select 'many_days' as reason_code, n_days_in_all as n_tested, $minimum_unexplained_days as least, * from counted

),

findings as (

    select
        sha256(concat_ws(
            '|', 'many_accesses', employee_id, patient_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'many_accesses' as check_id, 'anomaly' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_tested as decimal(18, 4)) as measure, cast(null as decimal(18, 4)) as expected,
        cast(null as decimal(19, 18)) as tail_probability, cast(null as varchar) as peer_group, reason_code,
        {
            'n_openings': n_openings, 'n_days': n_days, 'n_days_in_all': n_days_in_all, 'n_months': n_months,
            'role': role, 'unit_type': unit_type, 'least': cast(least as bigint), 'least_possible': cast(1 as bigint),
            'n_people': cast(null as bigint), 'n_compared': cast(null as bigint), 'percent_fewer': cast(null as bigint)
        } as reason_values,
        case when is_blocked then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from tested

)

select * from findings order by measure desc, employee_id, patient_id, reason_code
