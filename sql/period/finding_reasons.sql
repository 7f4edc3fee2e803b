with

pairs as (

    select
        finding_rows.finding_id,
        max(explained_masks.best) as best,
        bit_or(explained_masks.mask) as mask
    from finding_rows
    inner join period_accesses
        on finding_rows.employee_id = period_accesses.employee_id
        and finding_rows.patient_id = period_accesses.patient_id
    inner join explained_masks on period_accesses.access_id = explained_masks.access_id
    group by finding_rows.finding_id

),

reasons as (

    select
        finding_rows.finding_id,
        max(explanations_searched.reason) filter (
            where explanations_searched.number = 63 - pairs.best % 64
        ) as explanation_found,
        array_agg(explanations_searched.reason order by explanations_searched.number) filter (
            where explanations_searched.is_searchable and finding_rows.patient_id is not null
            and (coalesce(pairs.mask, 0) >> explanations_searched.number) & 1 = 0
        ) as explanations_absent,
        array_agg(explanations_searched.reason order by explanations_searched.number) filter (
            where not explanations_searched.is_searchable and finding_rows.patient_id is not null
        ) as explanations_not_searchable
    from finding_rows
    left join pairs on finding_rows.finding_id = pairs.finding_id
    left join explanations_searched on true
    group by finding_rows.finding_id

)

select * from reasons
