with

pairs as (

    select
        employee_id, patient_id, max(unit_id) as unit_id, min(recorded_at) as first_at,
        max(recorded_at) as last_at, count(distinct access_id) as n_events, count(distinct local_date) as n_days,
        max(case tie when 'surname' then 1 when 'household' then 3 else 2 end) as strength
    from close_accesses
    semi join unexplained_accesses on close_accesses.access_id = unexplained_accesses.access_id
    group by employee_id, patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'household_or_surname', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'household_or_surname' as check_id,
        -- a shared surname alone is chance more often than kinship
        case strength when 1 then 'targeted' else 'breach' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case strength when 1 then 'same_surname' when 2 then 'known_relation' else 'same_household' end as reason_code,
        {'n_accesses': n_events, 'n_days': n_days} as reason_values,
        case strength when 1 then 1 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
