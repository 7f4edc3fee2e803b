with

known as (

    select id as employee_id, identifier from identifier_periods where kind = 'employee'
    union
    select employee_id, employee_id as identifier from employees

)

select * from known
