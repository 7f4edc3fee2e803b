with

days as (

    select distinct employee_id, local_date
    from period_accesses
    where employee_id in (select employee_id from drawn_snoopers)

)

select * from days order by employee_id, local_date
