with

known_employees as (

    select use_people.employee_id as identifier, min(known.employee_id) as employee_id
    from use_people
    inner join employee_identifiers as known on use_people.employee_id = known.identifier
    group by use_people.employee_id
    having count(distinct known.employee_id) = 1

),

known_patients as (

    select use_people.patient_id as identifier, min(known.patient_id) as patient_id
    from use_people
    inner join patient_identifiers as known on use_people.patient_id = known.identifier
    group by use_people.patient_id
    having count(distinct known.patient_id) = 1

),

asked as (

    -- names are asked for beside every list: they are nobody's question about a person
    select distinct
        use_lines.sequence, use_lines.recorded_at, use_lines.local_date, use_lines.user_name,
        use_users.employee_id as user_employee_id,
        use_lines.purpose, use_lines.case_number, use_lines.n_rows,
        coalesce(known_employees.employee_id, use_people.employee_id) as employee_id,
        coalesce(known_patients.patient_id, use_people.patient_id) as patient_id
    from use_lines
    inner join use_people on use_lines.sequence = use_people.sequence
    left join use_users on use_lines.user_name = use_users.user_name
    left join known_employees on use_people.employee_id = known_employees.identifier
    left join known_patients on use_people.patient_id = known_patients.identifier
    where not use_lines.is_control and use_lines.use_activity <> 'names'
        and use_lines.recorded_at >= $start_at and use_lines.recorded_at < $end_at

)

select * from asked
