with

days as (

    select
        employee_id, local_date, count(*) filter (where kind in ('access', 'search')) as n_accesses,
        count(*) filter (where kind not in ('access', 'search')) as n_logins
    from period_presences
    where is_use
    group by employee_id, local_date

),

known as (

    select employee_id from employments
    union
    select employee_id from employees

),

judged as (

    select
        days.*,
        case
            when known.employee_id is null then 'employment_unknown'
            when gaps.employee_id is null then 'employed_or_not_yet'
            when days.local_date < gaps.left_from + cast($employment_grace_days as integer) then 'in_grace_days'
            else 'ended'
        end as employment
    from days
    left join known on days.employee_id = known.employee_id
    left join employment_gaps as gaps
        on days.employee_id = gaps.employee_id
        and days.local_date >= gaps.left_from and days.local_date < gaps.left_to

),

counted as (

    select
        employment, count(distinct employee_id) as n_people, count(*) as n_days,
        cast(sum(n_accesses) as bigint) as n_accesses, cast(sum(n_logins) as bigint) as n_logins
    from judged
    group by employment

)

select * from counted order by employment
