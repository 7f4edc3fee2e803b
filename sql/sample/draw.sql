with

clusters as (

    select stratum, cluster_key, min(manager_id) as manager_id
    from frame_rows
    group by stratum, cluster_key

),

hashed as (

    select
        stratum, cluster_key,
        sha256($seed || '|' || cluster_key) as draw_hash,
        count(*) over (partition by stratum) as n_stratum,
        count(*) over (partition by manager_id) as n_manager,
        count(*) over () as n_frame
    from clusters

),

ranked as (

    select
        *,
        row_number() over (partition by stratum order by draw_hash, cluster_key) as place
    from hashed

),

drawn as (

    -- in proportion to the stratum and rounded up, at least the minima, at most all of it
    select *
    from ranked
    where place <= greatest(
        $minimum_per_stratum,
        ($sample_size * n_stratum + n_frame - 1) // n_frame,
        ($minimum_per_manager * n_stratum + n_manager - 1) // n_manager
    )

),

picked as (

    select
        drawn.stratum, cast(drawn.place as bigint) as place,
        case when $first_stage_size > 0 and drawn.place > $first_stage_size then 2 else 1 end as stage,
        drawn.n_stratum, drawn.n_frame, drawn.cluster_key, frame_rows.unit_key, drawn.draw_hash,
        frame_rows.employee_id, frame_rows.patient_id, frame_rows.local_date, frame_rows.unit_id,
        frame_rows.reviewer_id, frame_rows.first_at, frame_rows.last_at, frame_rows.n_accesses, frame_rows.is_blocked
    from drawn
    inner join frame_rows
        on drawn.stratum = frame_rows.stratum
        and drawn.cluster_key = frame_rows.cluster_key

)

select * from picked order by stratum, place, unit_key, employee_id, patient_id
