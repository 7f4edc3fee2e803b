with

people as (

    select
        employee_id, max(unit_id) as unit_id, max(role) as role, max(unit_type) as unit_type,
        bool_or(employee_id in (
            select employee_id from shifts where starts_at < $end_at and ends_at > $start_at
        )) as is_planned
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved
    group by employee_id

),

counted as (

    select
        reason_code, employee_id, min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events,
        count(distinct patient_id) as n_patients, count(distinct local_date) as n_days,
        count(distinct date_trunc('hour', recorded_at)) as n_hours
    from abnormal_hours
    group by reason_code, employee_id

),

tested as (

    -- everybody's count is a test, outside the known shifts or at rare hours
    select
        case when is_planned then 'outside_shift' else 'rare_hour' end as reason_code, 'anomaly' as stream,
        * exclude (is_planned)
    from people
    union all
    -- on free days with nothing written: a rule, and no test, because it hardly ever happens
    select
        'undocumented_outside_shift' as reason_code,
        case when counted.n_days >= $off_duty_days then 'breach' else 'targeted' end as stream,
        people.* exclude (is_planned)
    from people
    inner join counted on people.employee_id = counted.employee_id
    where counted.reason_code = 'undocumented_outside_shift' and counted.n_days >= $alert_days

),

findings as (

    select
        sha256(concat_ws(
            '|', 'abnormal_times', case when tested.stream <> 'anomaly' then tested.reason_code end,
            tested.employee_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'abnormal_times' as check_id, tested.stream,
        tested.employee_id, cast(null as varchar) as patient_id, tested.unit_id,
        counted.first_at, counted.last_at, coalesce(counted.n_events, 0) as n_events,
        cast(coalesce(counted.n_hours, 0) as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, tested.reason_code,
        {
            'n_accesses': counted.n_events, 'n_patients': counted.n_patients, 'n_days': counted.n_days,
            'n_hours': counted.n_hours, 'role': tested.role, 'unit_type': tested.unit_type,
            'tolerance_minutes': $abnormal_times_tolerance_minutes,
            'least': cast($abnormal_times_minimum as bigint), 'least_possible': cast(0 as bigint),
            'n_people': cast(null as bigint), 'n_compared': cast(null as bigint), 'percent_fewer': cast(null as bigint)
        } as reason_values,
        case when counted.n_days >= 3 then 3 else 2 end as severity, cast(null as varchar) as explanation_found,
        cast(null as varchar[]) as explanations_absent, cast(null as varchar[]) as explanations_not_searchable
    from tested
    left join counted on tested.employee_id = counted.employee_id and tested.reason_code = counted.reason_code

)

select * from findings order by measure desc, employee_id, reason_code, finding_id
