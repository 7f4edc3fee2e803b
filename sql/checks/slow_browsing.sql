with

months as (

    -- the months before that a run has counted, and this one; twelve in all
    select distinct month from lake.unexplained_days
    where
        month < cast($start_at + interval '12' hour as date)
        and month >= cast($end_at - interval '12' hour as date) - interval '12' month

),

patients_of as (

    select days.employee_id, days.patient_id, max(days.unit_id) as unit_id, count(*) as n_days,
        cast(min(days.local_date) as timestamp) as first_at, cast(max(days.local_date) as timestamp) as last_at,
        cast(sum(days.n_accesses) as bigint) as n_accesses
    from lake.unexplained_days as days
    semi join months on days.month = months.month
    where days.employee_id is not null and days.patient_id is not null
    group by days.employee_id, days.patient_id
    union all
    select employee_id, patient_id, max(unit_id) as unit_id, count(distinct local_date) as n_days,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_accesses
    from unexplained_accesses
    where employee_id is not null
    group by employee_id, patient_id

),

of_employee as (

    select
        employee_id, max(unit_id) as unit_id, count(distinct patient_id) as n_patients,
        cast(sum(n_days) as bigint) as n_days, cast(sum(n_accesses) as bigint) as n_accesses,
        min(first_at) as first_at, max(last_at) as last_at,
        (select count(*) from months) + 1 as n_months
    from patients_of
    group by employee_id

),

placed as (

    select
        of_employee.*, home_units.role, units.unit_type,
        count(*) over (partition by home_units.role, units.unit_type) as n_people,
        sum(n_patients) over (partition by home_units.role, units.unit_type) as sum_patients,
        rank() over (partition by home_units.role, units.unit_type order by n_patients) - 1 as n_fewer
    from of_employee
    left join home_units
        on of_employee.employee_id = home_units.employee_id
        and cast(of_employee.last_at as date) >= home_units.valid_from
        and cast(of_employee.last_at as date) < home_units.valid_to
    left join units
        on home_units.unit_id = units.unit_id
        and cast(of_employee.last_at as date) >= units.valid_from
        and cast(of_employee.last_at as date) < units.valid_to

),

findings as (

    -- three months tell a habit from a bad week; against peers, so that what a role often does is not called browsing
    select
        sha256(concat_ws(
            '|', 'slow_browsing', employee_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'slow_browsing' as check_id, 'anomaly' as stream,
        employee_id, cast(null as varchar) as patient_id, unit_id, first_at, last_at, n_accesses as n_events,
        cast(n_patients as decimal(18, 4)) as measure,
        cast((sum_patients - n_patients) // greatest(n_people - 1, 1) as decimal(18, 4)) as expected,
        cast(null as decimal(19, 18)) as tail_probability,
        concat_ws(' | ', role, unit_type) as peer_group, 'browsed_slowly' as reason_code,
        {
            'n_patients': n_patients, 'n_months': n_months, 'n_days': n_days, 'n_accesses': n_accesses,
            'usual': cast((sum_patients - n_patients) // greatest(n_people - 1, 1) as bigint),
            'n_people': n_people, 'n_fewer': n_fewer
        } as reason_values,
        3 as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from placed
    where
        n_months >= $browsing_months_minimum
        and n_patients >= $browsing_patients_a_month * n_months
        and n_patients * greatest(n_people - 1, 1) >= $browsing_times_peers * (sum_patients - n_patients)

)

select * from findings order by measure desc, employee_id
