with

frame as (

    -- unit_key is what the draw hashes; anyone can write it and repeat the draw with sha256sum
    select
        coalesce(unit_id, '-') as stratum,
        concat_ws('|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, unit_id, first_at, last_at, n_accesses, is_blocked
    from access_days
    where
        local_date >= cast($start_at + interval '12' hour as date)
        and local_date <= cast($end_at - interval '12' hour as date)

)

select * from frame order by stratum, unit_key
