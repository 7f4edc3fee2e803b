with

explained as (

    -- attempts and searches may have a reason too
    select
        explained_masks.access_id, explanations_searched.reason,
        explained_masks.best // 64 as strength, reason_sets.reasons
    from explained_masks
    inner join reason_sets on explained_masks.mask = reason_sets.mask
    inner join explanations_searched on 63 - explained_masks.best % 64 = explanations_searched.number
    where explained_masks.is_enough

)

select * from explained
