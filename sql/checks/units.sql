with

assigned as (

    select distinct employee_id from unit_assignments
    where
        valid_from <= cast($end_at - interval '12' hour as date)
        and valid_to > cast($start_at + interval '12' hour as date)

),

foreign_accesses as (

    -- an assignment counts on the day of the access, whatever its role; who has none at all is one question, not many
    select
        unexplained_accesses.employee_id, unexplained_accesses.patient_id, unexplained_accesses.local_date,
        unexplained_accesses.recorded_at, unexplained_accesses.care_unit_id,
        case when assigned.employee_id is not null then 'no_assignment_at_unit' else 'no_assignment' end as reason_code,
        case when assigned.employee_id is not null then unexplained_accesses.care_unit_id end as unit_id
    from unexplained_accesses
    left join assigned on unexplained_accesses.employee_id = assigned.employee_id
    anti join unit_assignments
        on unexplained_accesses.employee_id = unit_assignments.employee_id
        and unexplained_accesses.care_unit_id = unit_assignments.unit_id
        and unexplained_accesses.local_date >= unit_assignments.valid_from
        and unexplained_accesses.local_date < unit_assignments.valid_to
    where unexplained_accesses.employee_id is not null and unexplained_accesses.care_unit_id is not null

),

pairs as (

    select
        employee_id, unit_id, reason_code, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct patient_id) as n_patients, count(distinct local_date) as n_days,
        count(distinct care_unit_id) as n_units
    from foreign_accesses
    group by employee_id, unit_id, reason_code
    having count(distinct patient_id) >= $foreign_unit_minimum_patients

),

findings as (

    select
        sha256(concat_ws('|', 'units', employee_id, unit_id, cast($start_at as varchar), cast($end_at as varchar)))
            as finding_id,
        'units' as check_id,
        case when n_patients >= 3 * $foreign_unit_minimum_patients then 'anomaly' else 'targeted' end as stream,
        employee_id, cast(null as varchar) as patient_id, unit_id,
        first_at, last_at, n_events, cast(n_patients as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, reason_code,
        {
            'n_accesses': n_events, 'n_unexplained': n_events, 'n_patients': n_patients, 'n_days': n_days,
            'n_units': n_units
        } as reason_values,
        case when n_patients >= 3 * $foreign_unit_minimum_patients then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by measure desc, n_events desc, employee_id, unit_id
