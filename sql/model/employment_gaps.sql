with

spans as (

    -- employments say it, one contract each; who has none there is employed while in the list of employees
    select employee_id, valid_from, valid_to from employments
    union all
    select employees.employee_id, employees.valid_from, employees.valid_to
    from employees
    anti join employments on employees.employee_id = employments.employee_id

),

ordered as (

    select
        employee_id,
        max(valid_to) over employee as left_from,
        coalesce(lead(valid_from) over employee, date '9999-12-31') as left_to
    from spans
    window employee as (partition by employee_id order by valid_from, valid_to)

),

gaps as (

    -- the running maximum is the end of all contracts so far; the next one may begin later
    select employee_id, left_from, left_to
    from ordered
    where left_from < left_to

)

select * from gaps
