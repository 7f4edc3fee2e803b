with

months as (

    -- the earlier months that a run has counted; with this one at most twelve
    select distinct month from lake.unexplained_days
    where
        month < cast($start_at + interval '12' hour as date)
        and month >= cast($end_at - interval '12' hour as date) - interval '12' month

),

window_of as (

    -- a month between the first one counted and this one whose run is absent hides its patients
    select
        count(*) + 1 as n_months,
        coalesce(date_diff('month', min(month), cast($start_at + interval '12' hour as date)) - count(*), 0)
            as n_months_absent
    from months

),

people as (

    -- who opened nothing without a reason is a peer too: without them everybody else would look usual
    select employee_id, max(role) as role, max(unit_type) as unit_type, max(unit_id) as unit_id
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved
    group by employee_id

),

days as (

    select
        days.employee_id, days.patient_id, count(*) as n_days, cast(sum(days.n_accesses) as bigint) as n_accesses,
        cast(min(days.local_date) as timestamp) as first_at, cast(max(days.local_date) as timestamp) as last_at
    from lake.unexplained_days as days
    semi join months on days.month = months.month
    where days.employee_id is not null and days.patient_id is not null
    group by days.employee_id, days.patient_id
    union all
    select employee_id, patient_id, count(distinct local_date) as n_days, count(*) as n_accesses,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from unexplained_accesses
    where employee_id is not null
    group by employee_id, patient_id

),

browsed as (

    select
        employee_id, count(distinct patient_id) as n_patients, cast(sum(n_days) as bigint) as n_days,
        cast(sum(n_accesses) as bigint) as n_accesses, min(first_at) as first_at, max(last_at) as last_at
    from days
    group by employee_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'slow_browsing', people.employee_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'slow_browsing' as check_id, 'anomaly' as stream,
        people.employee_id, cast(null as varchar) as patient_id, people.unit_id, first_at, last_at,
        coalesce(n_accesses, 0) as n_events, cast(coalesce(n_patients, 0) as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, 'browsed_slowly' as reason_code,
        {
            'n_patients': n_patients, 'n_days': n_days, 'n_accesses': n_accesses, 'n_months': n_months,
            'n_months_absent': n_months_absent, 'role': role, 'unit_type': unit_type,
            'least': cast($browsing_patients_minimum as bigint), 'least_possible': cast(0 as bigint),
            'n_people': cast(null as bigint), 'n_compared': cast(null as bigint), 'percent_fewer': cast(null as bigint)
        } as reason_values,
        3 as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people
    cross join window_of
    left join browsed on people.employee_id = browsed.employee_id

)

select * from findings order by measure desc, employee_id
