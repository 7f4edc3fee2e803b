with

seen as (

    select
        employee_id, patient_id, role, unit_id, unit_type, recorded_at, is_blocked,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name order by recorded_at, event_id, item
        ) as previous_at
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at and is_access
        and employee_id is not null and patient_id is not null and not is_patient_unresolved

),

pairs as (

    select
        employee_id, patient_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        max(role) as role, max(unit_type) as unit_type, count(*) as n_events, bool_or(is_blocked) as is_blocked,
        count(*) filter (
            where previous_at is null
            or date_diff('microsecond', previous_at, recorded_at) >= $opening_gap_minutes * 60000000
        ) as n_openings
    from seen
    group by employee_id, patient_id

),

members as (

    -- a pair counts in its own group and in the wider ones that smaller groups are compared with
    select 1 as width, 'role_and_unit_type' as peer_level, role || ' | ' || unit_type as peer_group, *
    from pairs where role is not null and unit_type is not null
    union all
    select 2 as width, 'role' as peer_level, role as peer_group, * from pairs where role is not null
    union all
    select 3 as width, 'all' as peer_level, '*' as peer_group, * from pairs

),

figures as (

    select
        width, peer_group, count(distinct employee_id) as n_people, count(*) as n_pairs,
        cast(sum(n_openings) as bigint) as sum_openings, cast(sum(n_openings * n_openings) as bigint) as sum_squares
    from members
    group by width, peer_group

),

compared as (

    -- fewer than 20 people say nothing about what is usual: take the next wider group
    select
        members.*, figures.n_people, figures.n_pairs, figures.sum_openings, figures.sum_squares,
        rank() over (partition by members.width, members.peer_group order by n_openings) - 1 as n_fewer,
        row_number() over (partition by employee_id, patient_id order by members.width) as choice
    from members
    inner join figures on members.width = figures.width and members.peer_group = figures.peer_group
    where figures.n_people >= 20 or members.width = 3

),

findings as (

    select
        sha256(concat_ws(
            '|', 'many_accesses', employee_id, patient_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'many_accesses' as check_id, 'anomaly' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_openings as decimal(18, 4)) as measure,
        cast(
            0.0001 * cast(10000 * (sum_openings - n_openings) // greatest(n_pairs - 1, 1) as decimal(18, 0))
            as decimal(18, 4)
        ) as expected,
        cast(null as decimal(19, 18)) as tail_probability,
        peer_group, 'many_openings_' || peer_level as reason_code,
        {
            'n_openings': n_openings, 'role': role, 'unit_type': unit_type, 'n_people': n_people, 'n_pairs': n_pairs,
            'n_fewer': n_fewer, 'sum_openings': sum_openings, 'sum_squares': sum_squares,
            'percent_fewer': 100 * n_fewer // n_pairs
        } as reason_values,
        case when is_blocked then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from compared
    where choice = 1

)

select * from findings order by measure desc, employee_id, patient_id
