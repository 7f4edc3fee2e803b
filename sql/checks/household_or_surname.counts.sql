with

counted as (

    select
        close_accesses.tie, count(*) as n_accesses, count(distinct close_accesses.employee_id) as n_employees,
        count(distinct close_accesses.patient_id) as n_patients, count(explained_rows.access_id) as n_with_reason
    from close_accesses
    left join explained_rows on close_accesses.access_id = explained_rows.access_id
    group by close_accesses.tie

)

select * from counted order by n_accesses desc, tie
