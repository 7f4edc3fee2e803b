with

asked as (

    select
        period_accesses.unit_id, explained_rows.reason, explained_rows.access_id is not null as is_explained
    from period_accesses
    left join explained_rows on period_accesses.access_id = explained_rows.access_id
    where
        period_accesses.is_access and period_accesses.patient_id is not null
        and not period_accesses.is_patient_unresolved
        and period_accesses.recorded_at >= $start_at and period_accesses.recorded_at < $end_at

),

counted as (

    select 1 as part, 'all' as kind, '*' as name, count(*) as n_accesses, count(*) filter (is_explained) as n_explained
    from asked
    union all
    select 2 as part, 'chance_pairs' as kind, '*' as name, count(*), count(*) filter (is_explained)
    from chance_pairs
    union all
    select 3 as part, 'best_reason' as kind, reason as name, count(*), count(*)
    from asked
    where is_explained
    group by reason
    union all
    select 4 as part, 'unit' as kind, coalesce(unit_id, '-') as name, count(*), count(*) filter (is_explained)
    from asked
    group by unit_id

),

totals as (

    select count(*) as n_all from asked

),

shares as (

    select
        counted.part, counted.kind, counted.name, counted.n_accesses, counted.n_explained,
        cast(
            case
                when counted.kind = 'best_reason'
                    then 0.0001 * cast(10000 * counted.n_explained // greatest(totals.n_all, 1) as decimal(18, 0))
                when counted.n_accesses > 0
                    then 0.0001 * cast(10000 * counted.n_explained // counted.n_accesses as decimal(18, 0))
            end as decimal(18, 4)
        ) as share
    from counted
    cross join totals

),

shown as (

    select kind, name, n_accesses, n_explained, share, cast(part as integer) as part from shares

)

select * from shown order by part, n_accesses desc, name
