with

seen as (

    select unit_id, care_unit_id, patient_id, employee_id
    from period_accesses
    where is_access and unit_id <> care_unit_id and patient_id is not null and employee_id is not null
    group by unit_id, care_unit_id, patient_id, employee_id

),

shared as (

    -- what one person opens alone makes no group: several of the unit must open the same patient
    select unit_id, care_unit_id, patient_id
    from seen
    group by unit_id, care_unit_id, patient_id
    having count(*) >= 2

),

patients_of_unit as (

    select care_unit_id, count(distinct patient_id) as n_patients
    from period_accesses
    where is_access and care_unit_id is not null and patient_id is not null
    group by care_unit_id

),

people as (

    select unit_id, care_unit_id, count(distinct employee_id) as n_people
    from seen
    group by unit_id, care_unit_id

),

groups as (

    select shared.unit_id, shared.care_unit_id
    from shared
    inner join patients_of_unit on shared.care_unit_id = patients_of_unit.care_unit_id
    inner join people on shared.unit_id = people.unit_id and shared.care_unit_id = people.care_unit_id
    group by shared.unit_id, shared.care_unit_id, patients_of_unit.n_patients, people.n_people
    having
        count(*) >= $group_support and people.n_people >= $group_people
        and count(*) >= $group_confidence * patients_of_unit.n_patients

),

related as (

    select access_id, 'collaborative_group' as reason, 2 as strength
    from asked_accesses
    semi join groups
        on asked_accesses.unit_id = groups.unit_id and asked_accesses.care_unit_id = groups.care_unit_id

)

select * from related
