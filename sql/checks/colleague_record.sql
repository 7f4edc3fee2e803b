with

pairs as (

    select
        employee_id, patient_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_days,
        bool_or(is_same_unit) as is_same_unit
    from colleague_accesses
    semi join unexplained_accesses on colleague_accesses.access_id = unexplained_accesses.access_id
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
