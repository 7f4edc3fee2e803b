with

seen as (

    select access_id, source_id, patient_id, recorded_at, local_date
    from asked_accesses
    where is_access and patient_id is not null and not is_patient_unresolved

),

judged as (

    select seen.*, unexplained_accesses.access_id is not null as is_unexplained
    from seen
    left join unexplained_accesses on seen.access_id = unexplained_accesses.access_id

),

counted as (

    select
        patient_id,
        count(*) as n_accesses,
        count(distinct local_date) as n_days,
        count(*) filter (where is_unexplained) as n_unexplained,
        count(distinct case when is_unexplained then local_date end) as n_unexplained_days,
        count(distinct source_id) as n_sources,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at
    from judged
    group by patient_id

),

dwellings as (

    select household_id, patient_id, employee_id from households
    union all
    select household_id, patient_id, cast(null as varchar) as employee_id from patients where household_id is not null

),

ties as (

    -- the closest comes first: the patient asked about, then who lives with that patient, then the employee's own
    select cast($patient_id as varchar) as patient_id, 1 as closeness, 'asked' as tie
    where $patient_id is not null
    union all
    select others.patient_id, 2, 'household_of_patient'
    from dwellings as theirs
    inner join dwellings as others on theirs.household_id = others.household_id
    where theirs.patient_id = $patient_id and others.patient_id is not null
    union all
    select others.patient_id, 3, 'household'
    from dwellings as own
    inner join dwellings as others on own.household_id = others.household_id
    where own.employee_id = $employee_id and others.patient_id is not null
    union all
    select patient_id, 4, relation from relations where employee_id = $employee_id

),

closest as (

    select patient_id, tie, row_number() over (partition by patient_id order by closeness, tie) as place from ties

),

names as (

    select patient_id, name, row_number() over (partition by patient_id order by valid_from desc) as place
    from patients

),

ranked as (

    select
        counted.patient_id, names.name as patient_name, counted.n_unexplained, counted.n_unexplained_days,
        counted.n_accesses, counted.n_days, closest.tie, counted.n_sources, counted.first_at, counted.last_at
    from counted
    left join closest on counted.patient_id = closest.patient_id and closest.place = 1
    left join names on counted.patient_id = names.patient_id and names.place = 1

)

select * from ranked order by n_unexplained_days desc, n_unexplained desc, n_accesses desc, patient_id
