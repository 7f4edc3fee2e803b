with

hashed as (

    select
        *,
        sha256($seed || '|' || unit_key) as draw_hash,
        count(*) over (partition by stratum) as n_stratum,
        count(*) over () as n_frame
    from frame_of_kind

),

ranked as (

    select
        *,
        row_number() over (order by draw_hash, unit_key, stratum) as place,
        row_number() over (partition by stratum order by draw_hash, unit_key) as place_in_stratum
    from hashed

),

drawn as (

    -- the first ones of all, and of each stratum where the check says so: a larger sample contains the smaller
    select
        stratum, employee_id, patient_id, local_date, unit_id, first_at, last_at, n_events,
        n_stratum, n_frame, unit_key, draw_hash
    from ranked
    where place <= $spot_check_size or place_in_stratum <= $spot_check_per_stratum

)

select * from drawn order by stratum, draw_hash, unit_key
