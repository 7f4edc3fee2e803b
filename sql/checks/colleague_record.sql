with

staff_patients as (

    select employee_id as colleague_id, patient_id, valid_from, valid_to from relations where relation = 'self'
    union all
    select
        employees.employee_id as colleague_id, patients.patient_id,
        greatest(employees.valid_from, patients.valid_from) as valid_from,
        least(employees.valid_to, patients.valid_to) as valid_to
    from employees
    inner join patients on employees.personal_number = patients.personal_number

),

seen as (

    select
        unexplained_accesses.employee_id, unexplained_accesses.patient_id, unexplained_accesses.unit_id,
        unexplained_accesses.recorded_at, unexplained_accesses.local_date, unexplained_accesses.access_id,
        coalesce(bool_or(unexplained_accesses.unit_id = home_units.unit_id), false) as is_same_unit
    from unexplained_accesses
    inner join staff_patients
        on unexplained_accesses.patient_id = staff_patients.patient_id
        and unexplained_accesses.local_date >= staff_patients.valid_from
        and unexplained_accesses.local_date < staff_patients.valid_to
    left join home_units
        on staff_patients.colleague_id = home_units.employee_id
        and unexplained_accesses.local_date >= home_units.valid_from
        and unexplained_accesses.local_date < home_units.valid_to
    group by
        unexplained_accesses.employee_id, unexplained_accesses.patient_id, unexplained_accesses.unit_id,
        unexplained_accesses.recorded_at, unexplained_accesses.local_date, unexplained_accesses.access_id
    -- one's own record is a check of its own
    having not coalesce(bool_or(unexplained_accesses.employee_id = staff_patients.colleague_id), false)

),

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        bool_or(is_same_unit) as is_same_unit
    from seen
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'colleague_record', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'colleague_record' as check_id,
        -- a single day is as often a reason that the data lack; at one's own unit it is nearer than that
        case when n_days >= $alert_days or is_same_unit then 'breach' else 'targeted' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when is_same_unit then 'colleague_of_unit' else 'colleague' end as reason_code,
        {'n_accesses': n_events, 'n_days': n_days} as reason_values,
        case when is_same_unit then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
