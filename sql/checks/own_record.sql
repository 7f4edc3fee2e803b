with

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        count(*) filter (where action in ('write', 'sign', 'countersign', 'delete')) as n_writings
    from period_accesses
    semi join staff_as_patients as staff
        on period_accesses.employee_id = staff.employee_id and period_accesses.patient_id = staff.patient_id
        and period_accesses.local_date >= staff.valid_from and period_accesses.local_date < staff.valid_to
    where is_access and not is_patient_unresolved
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'own_record', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'own_record' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when n_writings > 0 then 'wrote_in_own' else 'opened_own' end as reason_code,
        {'n_accesses': n_events, 'n_days': n_days, 'n_writings': n_writings} as reason_values,
        case when n_writings > 0 then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
