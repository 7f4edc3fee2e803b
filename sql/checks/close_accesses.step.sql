with

surnames as (

    -- a name that many bear in one place says nothing about who belongs together
    select lower(surname) as surname, municipality
    from patients
    where surname is not null and municipality is not null
    group by lower(surname), municipality
    having count(distinct patient_id) <= $most_bearers_of_surname

),

members as (

    select household_id, patient_id, valid_from, valid_to from households where patient_id is not null
    union all
    select household_id, patient_id, valid_from, valid_to from patients where household_id is not null

),

ties as (

    select employee_id, patient_id, relation as tie, valid_from, valid_to
    from relations
    where relation <> 'self'
    union all
    select
        dweller.employee_id, members.patient_id, 'household' as tie,
        greatest(dweller.valid_from, members.valid_from) as valid_from,
        least(dweller.valid_to, members.valid_to) as valid_to
    from households as dweller
    inner join members on dweller.household_id = members.household_id
    where dweller.employee_id is not null
    union all
    select
        employees.employee_id, patients.patient_id, 'surname' as tie,
        greatest(employees.valid_from, patients.valid_from) as valid_from,
        least(employees.valid_to, patients.valid_to) as valid_to
    from employees
    inner join surnames
        on lower(employees.surname) = surnames.surname and employees.municipality = surnames.municipality
    inner join patients on surnames.surname = lower(patients.surname) and surnames.municipality = patients.municipality
    where employees.personal_number is distinct from patients.personal_number or employees.personal_number is null

),

seen as (

    -- an access stands here once for each tie
    select distinct
        seen.access_id, seen.employee_id, seen.patient_id, seen.unit_id, seen.recorded_at, seen.local_date, ties.tie
    from period_accesses as seen
    inner join ties
        on seen.employee_id = ties.employee_id and seen.patient_id = ties.patient_id
        and seen.local_date >= ties.valid_from and seen.local_date < ties.valid_to
    where
        seen.is_access and not seen.is_patient_unresolved
        and not exists (
            select 1 from relations
            where seen.employee_id = relations.employee_id and seen.patient_id = relations.patient_id
                and relations.relation = 'self'
        )

)

select * from seen
