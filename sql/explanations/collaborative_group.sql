with

seen as (

    select unit_id, care_unit_id, patient_id, employee_id
    from period_accesses
    where is_access and unit_id <> care_unit_id and patient_id is not null and employee_id is not null
    group by unit_id, care_unit_id, patient_id, employee_id

),

shared as (

    -- what one person opens alone makes no group: several of the unit must open the same patient
    select unit_id, care_unit_id, patient_id, count(*) as n_readers
    from seen
    group by unit_id, care_unit_id, patient_id
    having count(*) >= 2

),

people as (

    -- a patient with two readers is shared by each of them alone: without either it would be shared no more
    select
        seen.unit_id, seen.care_unit_id, seen.employee_id,
        count(case when shared.n_readers = 2 then 1 end) as n_hanging
    from seen
    inner join shared
        on seen.unit_id = shared.unit_id
        and seen.care_unit_id = shared.care_unit_id
        and seen.patient_id = shared.patient_id
    group by seen.unit_id, seen.care_unit_id, seen.employee_id

),

units_people as (

    select unit_id, care_unit_id, count(*) as n_people, max(n_hanging) as n_hanging
    from people
    group by unit_id, care_unit_id

),

patients_of_unit as (

    select care_unit_id, count(distinct patient_id) as n_patients
    from period_accesses
    where is_access and care_unit_id is not null and patient_id is not null
    group by care_unit_id

),

groups as (

    -- the relation must hold without any one of its people: nobody excuses the own reading by it
    select shared.unit_id, shared.care_unit_id
    from shared
    inner join patients_of_unit on shared.care_unit_id = patients_of_unit.care_unit_id
    inner join units_people
        on shared.unit_id = units_people.unit_id and shared.care_unit_id = units_people.care_unit_id
    group by
        shared.unit_id, shared.care_unit_id, patients_of_unit.n_patients, units_people.n_people, units_people.n_hanging
    having
        units_people.n_people >= $group_people and count(*) - units_people.n_hanging >= $group_support
        and count(*) - units_people.n_hanging >= $group_confidence * patients_of_unit.n_patients

),

related as (

    select access_id, 'collaborative_group' as reason, 2 as strength
    from asked_accesses
    semi join groups
        on asked_accesses.unit_id = groups.unit_id and asked_accesses.care_unit_id = groups.care_unit_id

)

select * from related
