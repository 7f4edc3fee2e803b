with

seen as (

    -- whatever the store holds of earlier care counts, so there is no beginning
    select
        recorded_at, employee_id, employee_name, unit_id, patient_id, patient_name, action, is_access,
        is_patient_search and recorded_at >= $start_at and recorded_at < $end_at as is_asked_search
    from accesses
    where
        recorded_at < $end_at + $search_followed_minutes * interval '1' minute
        and ($patient_id is null or patient_id = $patient_id)
        and ($patient_id is null or patient_identifier in (
            select prefix || $patient_id from identifier_prefixes
            union all
            select identifier from patient_identifiers where patient_id = $patient_id
        ))
        and ($employee_id is null or employee_id = $employee_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
        and employee_id is not null and patient_id is not null and not is_patient_unresolved
        and (is_access or is_patient_search)

),

followed as (

    -- rows of the same second count as following, because a log gives no order within a second
    select
        *,
        min(case when is_access then recorded_at end) over (
            partition by employee_id, patient_id order by recorded_at
            range between current row and unbounded following
        ) as next_opened_at
    from seen

),

pairs as (

    select
        employee_id, patient_id,
        max(employee_name) as employee_name, max(patient_name) as patient_name, max(unit_id) as unit_id,
        count(*) filter (where is_asked_search) as n_searches,
        count(*) filter (
            where is_asked_search
            and date_diff('microsecond', recorded_at, next_opened_at) <= $search_followed_minutes * 60000000
        ) as n_followed,
        count(*) filter (where action in ('write', 'sign', 'countersign')) as n_written,
        min(recorded_at) filter (where is_asked_search) as first_at,
        max(recorded_at) filter (where is_asked_search) as last_at
    from followed
    group by employee_id, patient_id

),

medicine as (

    select employee_id, patient_id, count(*) as n_medicine
    from medication_events
    where kind in ('administration', 'waste', 'return') and recorded_at < $end_at
    group by employee_id, patient_id

),

judged as (

    select
        pairs.employee_id, pairs.employee_name, pairs.patient_id, pairs.patient_name,
        pairs.n_written > 0 or medicine.n_medicine is not null or exists (
            select 1 from care_teams
            where care_teams.patient_id = pairs.patient_id
                and (care_teams.employee_id = pairs.employee_id or care_teams.unit_id = pairs.unit_id)
        ) or exists (
            select 1 from stays where stays.patient_id = pairs.patient_id and stays.unit_id = pairs.unit_id
        ) or exists (
            select 1 from patients where patients.patient_id = pairs.patient_id and patients.unit_id = pairs.unit_id
        ) as was_cared_for,
        pairs.n_searches, pairs.n_searches - pairs.n_followed as n_unopened, pairs.first_at, pairs.last_at
    from pairs
    left join medicine on pairs.employee_id = medicine.employee_id and pairs.patient_id = medicine.patient_id
    where pairs.n_searches > 0

)

select * from judged order by was_cared_for, n_unopened desc, n_searches desc, employee_id, patient_id
