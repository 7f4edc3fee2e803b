with

frame as (

    select
        coalesce(unit_id, '-') as stratum,
        concat_ws('|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, unit_id, first_at, last_at, n_accesses, is_blocked
    from access_days
    where
        local_date >= cast($start_at + interval '12' hour as date)
        and local_date <= cast($end_at - interval '12' hour as date)

),

hashed as (

    select
        *,
        sha256($seed || '|' || unit_key) as draw_hash,
        count(*) over (partition by stratum) as n_stratum,
        count(*) over () as n_frame
    from frame

),

ranked as (

    select
        *,
        row_number() over (partition by stratum order by draw_hash, unit_key) as place
    from hashed

),

drawn as (

    -- in proportion to the stratum and rounded up, at least the minimum, at most all of it
    select
        stratum, cast(place as bigint) as place, n_stratum, unit_key, draw_hash,
        employee_id, patient_id, local_date, unit_id, first_at, last_at, n_accesses, is_blocked
    from ranked
    where place <= greatest($minimum_per_stratum, ($sample_size * n_stratum + n_frame - 1) // n_frame)

)

select * from drawn order by stratum, place
