with

listed as (

    -- a unit without any access is an answer too
    select distinct unit_id from units
    where
        valid_from <= cast($end_at - interval '12' hour as date)
        and valid_to > cast($start_at + interval '12' hour as date)

),

seen as (

    select
        coalesce(care_unit_id, '-') as unit_id, count(*) as n_accesses, count(distinct employee_id) as n_people,
        count(distinct patient_id) as n_patients
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved
    group by coalesce(care_unit_id, '-')

),

counted as (

    select
        coalesce(listed.unit_id, seen.unit_id) as unit_id, coalesce(n_accesses, 0) as n_accesses,
        coalesce(n_people, 0) as n_people, coalesce(n_patients, 0) as n_patients
    from listed
    full join seen on listed.unit_id = seen.unit_id

)

select * from counted order by unit_id
