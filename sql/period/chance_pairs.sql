with

reasons as (

    select access_id, max(strength) as strength, count(distinct number) as n_reasons
    from found
    group by access_id

),

pairs as (

    select
        drawn_pairs.access_id, drawn_pairs.employee_id, drawn_pairs.patient_id, drawn_pairs.unit_id,
        coalesce(reasons.strength >= 2 or reasons.n_reasons >= 2, false) as is_explained
    from drawn_pairs
    left join reasons on drawn_pairs.access_id = reasons.access_id

)

select * from pairs
