with

days as (

    select
        employee_id, local_date, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        case when min(patient_id) = max(patient_id) then min(patient_id) end as patient_id,
        count(*) as n_events, count(distinct patient_id) as n_patients,
        count(*) filter (where action = 'export') as n_exports
    from period_accesses
    where is_access and action in ('print', 'export') and employee_id is not null
    group by employee_id, local_date

),

findings as (

    select
        sha256(concat_ws(
            '|', 'prints_and_exports', employee_id, cast(local_date as varchar),
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'prints_and_exports' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        'bulk' as reason_code,
        {
            'n_rows': n_events, 'n_patients': n_patients, 'n_exports': n_exports,
            'local_date': cast(local_date as varchar)
        } as reason_values,
        case when n_patients >= $minimum_printed_patients then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from days
    where n_patients >= $minimum_printed_patients or n_events >= $minimum_printed_rows

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
