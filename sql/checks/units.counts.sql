with

counted as (

    select
        coalesce(care_unit_id, '-') as unit_id, count(*) as n_accesses, count(distinct employee_id) as n_people,
        count(distinct patient_id) as n_patients
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved
    group by coalesce(care_unit_id, '-')

)

select * from counted order by unit_id
