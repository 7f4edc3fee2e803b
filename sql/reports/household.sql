with

dwellings as (

    select household_id, patient_id, employee_id, valid_from, valid_to from households
    union all
    select household_id, patient_id, cast(null as varchar), valid_from, valid_to
    from patients where household_id is not null

),

together as (

    select distinct others.patient_id, others.employee_id
    from dwellings as theirs
    inner join dwellings as others
        on theirs.household_id = others.household_id
        and theirs.valid_from < others.valid_to and theirs.valid_to > others.valid_from
    where theirs.patient_id = $patient_id

),

ties as (

    select patient_id, cast(null as varchar) as employee_id, 1 as closeness, 'household' as tie
    from together
    where patient_id is not null and patient_id <> $patient_id
    union all
    select cast(null as varchar), employee_id, 2, 'household_employee' from together where employee_id is not null
    union all
    select cast(null as varchar), employee_id, 3, relation from relations where patient_id = $patient_id
    union all
    -- of a relative who works here, whoever else is related to that employee
    select others.patient_id, cast(null as varchar), 4, 'shared_relative'
    from relations as theirs
    inner join relations as others on theirs.employee_id = others.employee_id
    where theirs.patient_id = $patient_id and others.patient_id <> $patient_id

),

closest as (

    select *, row_number() over (partition by patient_id, employee_id order by closeness, tie) as place from ties

),

people as (

    select patient_id from closest where patient_id is not null union select cast($patient_id as varchar)

),

opened as (

    select patient_id, employee_id, recorded_at
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at and is_access and employee_id is not null
        and patient_identifier in (
            select identifier_prefixes.prefix || people.patient_id from identifier_prefixes cross join people
            union all
            select patient_identifiers.identifier
            from patient_identifiers inner join people on patient_identifiers.patient_id = people.patient_id
        )

),

newest as (

    select *, row_number() over (partition by kind, person_id order by valid_from desc) as place
    from (
        select patient_id as person_id, 'patient' as kind, name, valid_from from patients
        union all
        select employee_id, 'employee', name, valid_from from employees
    ) as names

),

listed as (

    select
        closest.patient_id, person.name as patient_name, closest.employee_id, worker.name as employee_name,
        closest.tie, count(opened.recorded_at) as n_accesses,
        count(distinct opened.employee_id) as n_employees,
        count(opened.recorded_at) filter (where opened.employee_id = $employee_id) as n_by_employee,
        min(opened.recorded_at) as first_at, max(opened.recorded_at) as last_at
    from closest
    left join opened
        on opened.patient_id = coalesce(closest.patient_id, $patient_id)
        and (closest.employee_id is null or opened.employee_id = closest.employee_id)
    left join newest as person
        on closest.patient_id = person.person_id and person.kind = 'patient' and person.place = 1
    left join newest as worker
        on closest.employee_id = worker.person_id and worker.kind = 'employee' and worker.place = 1
    where closest.place = 1
    group by closest.patient_id, person.name, closest.employee_id, worker.name, closest.tie

)

select * from listed order by n_by_employee desc, n_accesses desc, patient_id nulls last, employee_id nulls last
