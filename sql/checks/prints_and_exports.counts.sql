with

counted as (

    select
        coalesce(unit_id, '-') as unit_id, count(distinct employee_id) as n_employees,
        count(distinct patient_id) as n_patients, count(*) as n_rows
    from period_accesses
    where
        is_access and action in ('print', 'export')
    group by coalesce(unit_id, '-')

)

select * from counted order by n_rows desc, unit_id
