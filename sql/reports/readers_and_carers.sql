with

seen as (

    select
        asked_accesses.employee_id, asked_accesses.role, asked_accesses.unit_id, asked_accesses.recorded_at,
        asked_accesses.local_date, asked_accesses.action in ('write', 'sign', 'countersign') as is_written,
        unexplained_accesses.access_id is not null as is_unexplained
    from asked_accesses
    left join unexplained_accesses on asked_accesses.access_id = unexplained_accesses.access_id
    where asked_accesses.is_access and asked_accesses.employee_id is not null

),

readers as (

    select
        employee_id, max(role) as role, max(unit_id) as unit_id,
        count(*) as n_accesses, count(distinct local_date) as n_days,
        count(*) filter (where is_unexplained) as n_unexplained,
        count(*) filter (where is_written) as n_written,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from seen
    group by employee_id

),

medicine as (

    select employee_id, count(*) as n_medicine
    from medication_events
    where
        patient_id = $patient_id and employee_id is not null
        and recorded_at >= $start_at and recorded_at < $end_at and kind in ('administration', 'waste', 'return')
    group by employee_id

),

booked as (

    select employee_id, count(*) as n_appointments
    from appointments
    where
        patient_id = $patient_id and employee_id is not null and coalesce(status, 'booked') <> 'cancelled'
        and starts_at >= $start_at and starts_at < $end_at
    group by employee_id

),

team as (

    select distinct employee_id
    from care_teams
    where patient_id = $patient_id and employee_id is not null and valid_from < $end_at and valid_to > $start_at

),

everybody as (

    select employee_id from readers
    union
    select employee_id from medicine
    union
    select employee_id from booked
    union
    select employee_id from team

),

names as (

    select employee_id, name, row_number() over (partition by employee_id order by valid_from desc) as place
    from employees

),

compared as (

    select
        everybody.employee_id, names.name as employee_name, readers.role, readers.unit_id,
        coalesce(readers.n_written, 0) > 0 or medicine.n_medicine is not null or booked.n_appointments is not null
        or team.employee_id is not null as has_given_care,
        coalesce(readers.n_accesses, 0) as n_accesses, coalesce(readers.n_days, 0) as n_days,
        coalesce(readers.n_unexplained, 0) as n_unexplained, coalesce(readers.n_written, 0) as n_written,
        coalesce(medicine.n_medicine, 0) as n_medicine, coalesce(booked.n_appointments, 0) as n_appointments,
        team.employee_id is not null as is_in_care_team, readers.first_at, readers.last_at
    from everybody
    left join readers on everybody.employee_id = readers.employee_id
    left join medicine on everybody.employee_id = medicine.employee_id
    left join booked on everybody.employee_id = booked.employee_id
    left join team on everybody.employee_id = team.employee_id
    left join names on everybody.employee_id = names.employee_id and names.place = 1

)

select * from compared order by has_given_care, n_unexplained desc, n_accesses desc, employee_id
