with

last_month as (

    select date_trunc('month', cast($end_at - interval '12' hour as date)) as month

),

twelve as (

    select cast(month - cast(back as integer) * interval '1' month as date) as month
    from last_month cross join (select unnest(range(12)) as back) as places

),

days as (

    -- each month as its own run has kept it; this one as it is now
    select month, employee_id, patient_id, n_accesses from lake.unexplained_days
    where month < cast($start_at + interval '12' hour as date)
    union all
    select cast(date_trunc('month', local_date) as date) as month, employee_id, patient_id, 1 as n_accesses
    from unexplained_accesses
    where employee_id is not null
    union all
    select cast(month as date) as month, null as employee_id, null as patient_id, 0 as n_accesses from last_month

),

counted as (

    select
        twelve.month, count(days.month) > 0 as is_counted, count(distinct days.employee_id) as n_people,
        count(distinct days.patient_id) as n_patients, cast(coalesce(sum(days.n_accesses), 0) as bigint) as n_accesses
    from twelve
    left join days on twelve.month = days.month
    group by twelve.month

)

select * from counted order by month
