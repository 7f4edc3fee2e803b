with

near as (

    -- the moment is a constant of the scan: only the hours around it are read
    select employee_id, employee_name, role, unit_id, patient_id, recorded_at
    from accesses
    where
        recorded_at >= cast($at as timestamp) - $around_hours * interval '1' hour
        and recorded_at <= cast($at as timestamp) + $around_hours * interval '1' hour
        and recorded_at >= $start_at - $around_hours * interval '1' hour
        and recorded_at < $end_at + $around_hours * interval '1' hour
        and is_access and employee_id is not null

),

home as (

    -- the unit of the employee then; what the log said, where nothing else is known
    select unit_id from near where employee_id = $employee_id and unit_id is not null
    union
    select unit_id from home_units
    where
        employee_id = $employee_id
        and cast(cast($at as timestamp) as date) >= valid_from and cast(cast($at as timestamp) as date) < valid_to

),

on_duty as (

    select distinct employee_id
    from shifts
    semi join home on shifts.unit_id = home.unit_id
    where
        starts_at <= cast($at as timestamp) and ends_at > cast($at as timestamp)
        and coalesce(status, 'planned') not in ('absent', 'cancelled', 'swapped')

),

readers as (

    select
        near.employee_id, max(near.employee_name) as employee_name, max(near.role) as role,
        max(near.unit_id) as unit_id, count(*) as n_accesses, count(distinct near.patient_id) as n_patients,
        count(*) filter (where near.patient_id = $patient_id) as n_same_patient,
        min(near.recorded_at) as first_at, max(near.recorded_at) as last_at
    from near
    left join on_duty on near.employee_id = on_duty.employee_id
    where
        near.employee_id <> $employee_id
        and (near.unit_id in (select unit_id from home) or on_duty.employee_id is not null)
    group by near.employee_id

),

people as (

    select employee_id from readers
    union
    select employee_id from on_duty where employee_id <> $employee_id

),

names as (

    select employee_id, name, row_number() over (partition by employee_id order by valid_from desc) as place
    from employees

),

listed as (

    select
        people.employee_id, coalesce(readers.employee_name, names.name) as employee_name, readers.role,
        readers.unit_id, on_duty.employee_id is not null as is_on_shift,
        coalesce(readers.n_accesses, 0) as n_accesses, coalesce(readers.n_patients, 0) as n_patients,
        coalesce(readers.n_same_patient, 0) as n_same_patient, readers.first_at, readers.last_at
    from people
    left join readers on people.employee_id = readers.employee_id
    left join on_duty on people.employee_id = on_duty.employee_id
    left join names on people.employee_id = names.employee_id and names.place = 1

)

select * from listed order by n_same_patient desc, n_accesses desc, employee_id
