with

days as (

    -- days without a reason: one more look where the data see a risk, apart from the sample
    select
        concat_ws('|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date,
        min(unit_id) as unit_id,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at,
        count(*) as n_unexplained,
        coalesce(bool_or(is_blocked), false) as is_blocked,
        coalesce(bool_or(is_break_glass), false) as is_break_glass
    from unexplained_accesses
    where recorded_at >= $start_at and recorded_at < $end_at
    group by employee_id, patient_id, local_date

),

ranked as (

    select
        *,
        sha256($seed || '|' || unit_key) as draw_hash,
        count(*) over () as n_days,
        row_number() over (order by sha256($seed || '|' || unit_key), unit_key, employee_id, patient_id) as place
    from days

),

targeted as (

    select
        cast(place as bigint) as place, unit_key, draw_hash, employee_id, patient_id, local_date, unit_id,
        first_at, last_at, n_unexplained, is_blocked, is_break_glass, n_days
    from ranked
    where place <= $targeted_days

)

select * from targeted order by place
