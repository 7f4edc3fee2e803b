with

counted as (

    select
        coalesce(period_accesses.unit_id, '-') as home_unit_id,
        coalesce(period_accesses.care_unit_id, '-') as care_unit_id,
        count(*) as n_accesses, count(unexplained_accesses.access_id) as n_unexplained,
        count(distinct period_accesses.employee_id) as n_people,
        count(distinct period_accesses.patient_id) as n_patients
    from period_accesses
    left join unexplained_accesses on period_accesses.access_id = unexplained_accesses.access_id
    where
        period_accesses.is_access and period_accesses.patient_id is not null
        and not period_accesses.is_patient_unresolved
    group by coalesce(period_accesses.unit_id, '-'), coalesce(period_accesses.care_unit_id, '-')

)

select * from counted order by home_unit_id, care_unit_id
