with

found as (

    select *
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and is_blocked_search

),

findings as (

    select
        sha256('blocked_searches|' || cast(access_id as varchar)) as finding_id,
        'blocked_searches' as check_id,
        'breach' as stream,
        employee_id,
        patient_id,
        unit_id,
        recorded_at as first_at,
        recorded_at as last_at,
        cast(1 as bigint) as n_events,
        cast(1 as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected,
        cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        'blocked_search' as reason_code,
        {
            'employee_id': employee_id, 'employee_name': employee_name,
            'patient_id': patient_id, 'patient_name': patient_name
        } as reason_values,
        2 as severity,
        cast(null as varchar) as explanation_found,
        cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from found

)

select * from findings order by first_at, finding_id
