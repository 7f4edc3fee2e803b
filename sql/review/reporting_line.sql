with

managers as (

    select manager_id
    from employees
    where manager_id is not null and valid_from <= $last_date and valid_to > $first_date
    union
    select manager_id
    from units
    where manager_id is not null and valid_from <= $last_date and valid_to > $first_date

)

select * from managers order by manager_id
