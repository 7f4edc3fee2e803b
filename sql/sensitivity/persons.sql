with

days as (

    select
        cast($start_at + interval '12' hour as date) as first_day,
        cast($end_at - interval '12' hour as date) as last_day

),

found as (

    select 'staff' as person, employee_id, patient_id, valid_from, valid_to from relations where relation = 'self'
    union
    select
        'staff' as person, employees.employee_id, patients.patient_id,
        greatest(employees.valid_from, patients.valid_from) as valid_from,
        least(employees.valid_to, patients.valid_to) as valid_to
    from employees
    inner join patients on employees.personal_number = patients.personal_number
    union
    select 'relative' as person, employee_id, patient_id, valid_from, valid_to from relations where relation <> 'self'
    union
    select
        'relative' as person, dwellers.employee_id, members.patient_id,
        greatest(dwellers.valid_from, members.valid_from) as valid_from,
        least(dwellers.valid_to, members.valid_to) as valid_to
    from households as dwellers
    inner join households as members on dwellers.household_id = members.household_id
    where dwellers.employee_id is not null and members.patient_id is not null
    union
    select
        case flag when 'deceased' then 'dead' else 'protected' end as person,
        null as employee_id, patient_id, valid_from, valid_to
    from patient_flags
    where flag <> 'sensitive'
    union
    select 'media' as person, null as employee_id, patient_id, valid_from, valid_to from media_interest
    union
    select 'blocked' as person, null as employee_id, patient_id, valid_from, valid_to from record_blocks

),

persons as (

    -- whom a snooper looks for because of who they are; who died lately may still have things to be written
    select
        person, employee_id, patient_id, max(greatest(valid_from, first_day)) as since,
        sha256($seed || '|' || patient_id || '|' || coalesce(employee_id, '')) as draw_hash
    from found
    cross join days
    where
        valid_from <= last_day - interval '5' day and valid_to > last_day
        and (person <> 'dead' or valid_from <= first_day - interval '1' month)
    group by person, employee_id, patient_id

)

select * from persons order by person, draw_hash, employee_id, patient_id
