with

masks as (

    select distinct mask from explained_masks

),

sets as (

    -- few sets of reasons occur, whatever the number of accesses
    select masks.mask, array_agg(explanations_searched.reason order by explanations_searched.number) as reasons
    from masks
    inner join explanations_searched on (masks.mask >> explanations_searched.number) & 1 = 1
    group by masks.mask

)

select * from sets
