with

edges as (

    select cast($documentation_days as bigint) + 1 as from_days
    union all
    select cast(edge.from_days as bigint) as from_days
    from (values (91), (181), (366), (731), (1826)) as edge (from_days)
    where edge.from_days > $documentation_days + 1

),

bands as (

    select from_days, lead(from_days) over (order by from_days) - 1 as to_days from edges

),

kinds as (

    select 'dead' as ended
    union all
    select 'discharged' as ended

),

counted as (

    select
        kinds.ended, bands.from_days, bands.to_days, count(late_accesses.access_id) as n_accesses,
        count(distinct late_accesses.employee_id) as n_employees,
        count(distinct late_accesses.patient_id) as n_patients, count(explained_rows.access_id) as n_with_reason
    from kinds
    cross join bands
    left join late_accesses
        on kinds.ended = late_accesses.ended and late_accesses.n_days_after >= bands.from_days
        and coalesce(late_accesses.n_days_after <= bands.to_days, true)
    left join explained_rows on late_accesses.access_id = explained_rows.access_id
    group by kinds.ended, bands.from_days, bands.to_days

)

select * from counted order by ended, from_days
