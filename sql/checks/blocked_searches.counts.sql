with

searched as (

    select
        coalesce(period_accesses.unit_id, '-') as unit_id, period_accesses.employee_id, period_accesses.patient_id,
        explained_rows.access_id is not null as is_explained
    from period_accesses
    left join explained_rows on period_accesses.access_id = explained_rows.access_id
    where period_accesses.is_blocked_search

),

counted as (

    select
        unit_id, count(*) as n_searches, count(distinct employee_id) as n_employees,
        count(distinct patient_id) as n_patients, count(*) filter (where is_explained) as n_with_reason
    from searched
    group by unit_id

)

select * from counted order by n_searches desc, unit_id
