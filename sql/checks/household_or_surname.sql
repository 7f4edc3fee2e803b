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

pairs as (

    select
        seen.employee_id, seen.patient_id, max(seen.unit_id) as unit_id, min(seen.recorded_at) as first_at,
        max(seen.recorded_at) as last_at, count(distinct seen.access_id) as n_events,
        count(distinct seen.local_date) as n_days,
        max(case ties.tie when 'surname' then 1 when 'household' then 3 else 2 end) as strength
    from unexplained_accesses as seen
    inner join ties
        on seen.employee_id = ties.employee_id and seen.patient_id = ties.patient_id
        and seen.local_date >= ties.valid_from and seen.local_date < ties.valid_to
    where not exists (
        select 1 from relations
        where seen.employee_id = relations.employee_id and seen.patient_id = relations.patient_id
            and relations.relation = 'self'
    )
    group by seen.employee_id, seen.patient_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'household_or_surname', employee_id, patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'household_or_surname' as check_id,
        -- a shared surname alone is chance more often than kinship
        case strength when 1 then 'targeted' else 'breach' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case strength when 1 then 'same_surname' when 2 then 'known_relation' else 'same_household' end as reason_code,
        {'n_accesses': n_events, 'n_days': n_days} as reason_values,
        case strength when 1 then 1 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
