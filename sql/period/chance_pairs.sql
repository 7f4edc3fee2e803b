with

pairs as (

    select
        drawn_pairs.access_id, drawn_pairs.employee_id, drawn_pairs.patient_id, drawn_pairs.unit_id,
        coalesce(chance_masks.is_enough, false) as is_explained
    from drawn_pairs
    left join chance_masks on drawn_pairs.access_id = chance_masks.access_id

)

select * from pairs
