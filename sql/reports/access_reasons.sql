with

weighed as (

    select
        asked_accesses.recorded_at, asked_accesses.source_id, asked_accesses.event_id, asked_accesses.item,
        asked_accesses.access_id, explained_masks.mask, explained_masks.best,
        coalesce(explained_masks.is_enough, false) as is_enough
    from asked_accesses
    left join explained_masks on asked_accesses.access_id = explained_masks.access_id

),

reasons as (

    select
        weighed.recorded_at, weighed.source_id, weighed.event_id, weighed.item,
        cast(weighed.access_id as varchar) as access_id,
        max(explanations_searched.reason) filter (
            where explanations_searched.number = 63 - weighed.best % 64
        ) as explanation_found,
        weighed.is_enough,
        array_agg(explanations_searched.reason order by explanations_searched.number) filter (
            where explanations_searched.is_searchable
            and (coalesce(weighed.mask, 0) >> explanations_searched.number) & 1 = 0
        ) as explanations_absent,
        array_agg(explanations_searched.reason order by explanations_searched.number) filter (
            where not explanations_searched.is_searchable
        ) as explanations_not_searchable
    from weighed
    left join explanations_searched on true
    group by
        weighed.recorded_at, weighed.source_id, weighed.event_id, weighed.item, weighed.access_id, weighed.is_enough

)

select * from reasons order by recorded_at, source_id, event_id, item, access_id
