with

unexplained as (

    select period_accesses.*, coalesce(reason_sets.reasons, cast([] as varchar[])) as reasons
    from period_accesses
    left join explained_masks on period_accesses.access_id = explained_masks.access_id
    left join reason_sets on explained_masks.mask = reason_sets.mask
    where
        period_accesses.is_access and period_accesses.patient_id is not null
        and not period_accesses.is_patient_unresolved
        and not coalesce(explained_masks.is_enough, false)

)

select * from unexplained
