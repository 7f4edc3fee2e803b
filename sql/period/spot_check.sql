with

hashed as (

    select *, sha256($seed || '|' || unit_key) as draw_hash from frame_of_kind

),

counted as (

    select stratum, count(*) as n_stratum, cast(sum(count(*)) over () as bigint) as n_frame
    from hashed
    group by stratum

),

first_of_all as (

    select * from hashed order by draw_hash, unit_key, stratum limit $spot_check_size

),

placed as (

    select *, row_number() over (partition by stratum order by draw_hash, unit_key) as place_in_stratum
    from hashed
    where $spot_check_per_stratum > 0

),

first_of_strata as (

    select * exclude (place_in_stratum) from placed where place_in_stratum <= $spot_check_per_stratum

),

picked as (

    -- the first ones of all, and of each stratum where the check says so: a larger sample contains the smaller
    select * from first_of_all
    union
    select * from first_of_strata

),

drawn as (

    select
        picked.stratum, picked.employee_id, picked.patient_id, picked.local_date, picked.unit_id, picked.first_at,
        picked.last_at, picked.n_events, counted.n_stratum, counted.n_frame, picked.unit_key, picked.draw_hash
    from picked
    inner join counted on picked.stratum is not distinct from counted.stratum

)

select * from drawn order by stratum, draw_hash, unit_key
