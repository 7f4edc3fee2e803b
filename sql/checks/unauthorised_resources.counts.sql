with

counted as (

    select
        coalesce(table_name, area, '-') as resource, count(distinct employee_id) as n_employees,
        count(distinct patient_id) as n_patients, count(*) as n_rows
    from period_accesses
    where
        outcome in ('denied', 'failed')
    group by coalesce(table_name, area, '-')

)

select * from counted order by n_rows desc, resource
