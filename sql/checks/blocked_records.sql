with

pairs as (

    -- an attempt that the system refused is in the plain counts: it opened nothing
    select
        seen.employee_id, seen.patient_id, seen.reason_code,
        max(seen.unit_id) as unit_id, min(seen.recorded_at) as first_at, max(seen.recorded_at) as last_at,
        count(distinct seen.access_id) as n_events, count(distinct seen.local_date) as n_days,
        count(distinct seen.access_id) filter (where seen.is_break_glass) as n_break_glass,
        count(distinct seen.access_id) filter (where explained_accesses.strength = 3) as n_in_care
    from block_accesses as seen
    left join explained_accesses on seen.access_id = explained_accesses.access_id
    where seen.is_access and seen.reason_code is not null
    group by seen.employee_id, seen.patient_id, seen.reason_code

),

findings as (

    select
        sha256(concat_ws(
            '|', 'blocked_records', reason_code, coalesce(employee_id, ''), patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'blocked_records' as check_id,
        -- who cared for the very patient met a block that was lifted, or a list that is out of date: a task
        case when n_in_care = n_events and reason_code <> 'blocked_against_named' then 'targeted' else 'breach' end
            as stream,
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
