with

days as (

    select
        employee_id, patient_id, local_date, max(unit_id) as unit_id, count(*) as n_accesses
    from unexplained_accesses
    where employee_id is not null
    group by employee_id, patient_id, local_date

)

select * from days order by employee_id, patient_id, local_date
