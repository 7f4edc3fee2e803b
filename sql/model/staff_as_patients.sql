with

staff as (

    select employee_id, patient_id, valid_from, valid_to from relations where relation = 'self'
    union all
    select
        employees.employee_id, patients.patient_id,
        greatest(employees.valid_from, patients.valid_from) as valid_from,
        least(employees.valid_to, patients.valid_to) as valid_to
    from employees
    inner join patients on employees.personal_number = patients.personal_number

)

select * from staff
