with

pairs as (

    -- an attempt that the system refused is in the plain counts: it opened nothing
    select
        employee_id, patient_id, reason_code, max(unit_id) as unit_id, min(recorded_at) as first_at,
        max(recorded_at) as last_at, count(distinct access_id) as n_events, count(distinct local_date) as n_days,
        count(distinct access_id) filter (where is_break_glass) as n_break_glass
    from block_accesses
    where is_access and reason_code is not null
    group by employee_id, patient_id, reason_code

),

findings as (

    select
        sha256(concat_ws(
            '|', 'blocked_records', reason_code, coalesce(employee_id, ''), patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'blocked_records' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        reason_code as reason_code,
        {'n_accesses': n_events, 'n_days': n_days, 'n_break_glass': n_break_glass} as reason_values,
        case when reason_code = 'blocked_record' or n_break_glass = n_events then 2 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
