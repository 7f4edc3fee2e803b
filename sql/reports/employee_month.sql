with

counted as (

    select
        employee_id, max(role) as role, max(unit_type) as unit_type,
        count(*) filter (where is_access) as n_accesses,
        count(distinct case when is_access then patient_id end) as n_patients,
        count(distinct case when is_access then local_date end) as n_days,
        count(*) filter (where is_access and (local_hour >= 22 or local_hour < 6)) as n_at_night,
        count(*) filter (where is_access and action in ('print', 'export')) as n_printed,
        count(*) filter (where is_access and action in ('write', 'sign', 'countersign')) as n_written,
        count(*) filter (where is_patient_search) as n_searches,
        count(*) filter (where is_break_glass) as n_break_glass,
        count(*) filter (where outcome in ('denied', 'failed')) as n_refused
    from accesses
    where recorded_at >= $start_at and recorded_at < $end_at and employee_id is not null
    group by employee_id

),

asked as (

    select * from counted where employee_id = $employee_id

),

pooled as (

    -- fewer than 20 people say nothing about what is usual: take all of the role, then everybody
    select
        counted.*,
        counted.role = asked.role and counted.unit_type = asked.unit_type as is_near,
        counted.role = asked.role as is_same_role,
        count(*) filter (where counted.role = asked.role and counted.unit_type = asked.unit_type) over () as n_near,
        count(*) filter (where counted.role = asked.role) over () as n_same_role,
        asked.role as asked_role, asked.unit_type as asked_unit_type
    from counted
    cross join asked

),

peers as (

    select
        *,
        case
            when n_near >= 20 then asked_role || ' | ' || asked_unit_type
            when n_same_role >= 20 then asked_role
            else '*'
        end as peer_group
    from pooled
    where case when n_near >= 20 then is_near when n_same_role >= 20 then is_same_role else true end
        or employee_id = $employee_id

),

measured as (

    select
        employee_id, peer_group,
        place, measure,
        case place
            when 1 then n_accesses when 2 then n_patients when 3 then n_days when 4 then n_at_night
            when 5 then n_printed when 6 then n_written when 7 then n_searches when 8 then n_break_glass
            else n_refused
        end as value
    from peers
    cross join (
        values (1, 'accesses'), (2, 'patients'), (3, 'days'), (4, 'at_night'), (5, 'printed'), (6, 'written'),
        (7, 'searches'), (8, 'break_glass'), (9, 'refused')
    ) as measures (place, measure)

),

compared as (

    select
        measured.place, measured.measure, own.value as own_value,
        cast(percentile_cont(0.5) within group (order by measured.value) as decimal(18, 1)) as usual_value,
        cast(percentile_cont(0.9) within group (order by measured.value) as decimal(18, 1)) as high_value,
        count(*) filter (where measured.value > own.value) as n_above,
        count(*) as n_peers, measured.peer_group
    from measured
    inner join measured as own on measured.place = own.place and own.employee_id = $employee_id
    where measured.employee_id <> $employee_id
    group by measured.place, measured.measure, own.value, measured.peer_group

)

select * from compared order by place
