with

in_period as (

    select
        employee_id, patient_id, local_date, unit_id, role, unit_type, recorded_at, is_blocked,
        source_id, event_id, item
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved

),

of_days as (

    -- the days of a log in another time zone begin and end beside the period
    select * exclude (source_id, event_id, item) from in_period
    union all
    select employee_id, patient_id, local_date, unit_id, role, unit_type, recorded_at, is_blocked from accesses
    where
        is_access and patient_id is not null and not is_patient_unresolved
        and recorded_at >= $start_at - interval '36' hour and recorded_at < $end_at + interval '36' hour
        and (recorded_at < $start_at or recorded_at >= $end_at)

),

sampled as (

    select
        concat_ws('|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, min(unit_id) as unit_id, min(role) as role,
        min(unit_type) as unit_type, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_accesses, bool_or(is_blocked) as is_blocked
    from of_days
    where
        $sample_plan <> 'accesses'
        and local_date >= cast($start_at + interval '12' hour as date)
        and local_date <= cast($end_at - interval '12' hour as date)
    group by employee_id, patient_id, local_date
    union all
    select
        concat_ws(
            '|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar),
            source_id, event_id, cast(item as varchar)
        ) as unit_key,
        employee_id, patient_id, local_date, unit_id, role, unit_type,
        recorded_at as first_at, recorded_at as last_at, cast(1 as bigint) as n_accesses, is_blocked
    from in_period
    where $sample_plan = 'accesses'

)

select * from sampled
