with

dwellers as (

    select household_id, employee_id, patient_id, valid_from, valid_to from households
    union all
    select household_id, cast(null as varchar) as employee_id, patient_id, valid_from, valid_to
    from patients
    where household_id is not null

),

staff_at_home as (

    select household_id, employee_id, valid_from, valid_to from dwellers where employee_id is not null
    union
    -- who stands in the household as a patient may be an employee too
    select
        dwellers.household_id, staff_as_patients.employee_id,
        greatest(dwellers.valid_from, staff_as_patients.valid_from) as valid_from,
        least(dwellers.valid_to, staff_as_patients.valid_to) as valid_to
    from dwellers
    inner join staff_as_patients on dwellers.patient_id = staff_as_patients.patient_id

),

ties as (

    select
        own.employee_id as reviewer_id, 'employee' as kind, other.employee_id as subject_id,
        greatest(own.valid_from, other.valid_from) as valid_from, least(own.valid_to, other.valid_to) as valid_to
    from staff_at_home as own
    inner join staff_at_home as other
        on own.household_id = other.household_id and own.employee_id <> other.employee_id
    union all
    select
        own.employee_id, 'patient', other.patient_id,
        greatest(own.valid_from, other.valid_from), least(own.valid_to, other.valid_to)
    from staff_at_home as own
    inner join dwellers as other on own.household_id = other.household_id and other.patient_id is not null
    union all
    select employee_id, 'patient', patient_id, valid_from, valid_to from relations
    union all
    select employee_id, 'patient', patient_id, valid_from, valid_to from staff_as_patients
    union all
    -- the reviewer's relation to a patient who is an employee too, and the other way round
    select relations.employee_id, 'employee', staff_as_patients.employee_id, relations.valid_from, relations.valid_to
    from relations
    inner join staff_as_patients on relations.patient_id = staff_as_patients.patient_id
    where relations.employee_id <> staff_as_patients.employee_id
    union all
    select staff_as_patients.employee_id, 'employee', relations.employee_id, relations.valid_from, relations.valid_to
    from relations
    inner join staff_as_patients on relations.patient_id = staff_as_patients.patient_id
    where relations.employee_id <> staff_as_patients.employee_id

),

final as (

    select reviewer_id, kind, subject_id, max(valid_to) as valid_to
    from ties
    where reviewer_id in (select unnest($reviewer_ids)) and valid_from < valid_to
    group by reviewer_id, kind, subject_id

)

select * from final order by reviewer_id, kind, subject_id
