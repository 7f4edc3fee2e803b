with

counted as (

    select
        coalesce(colleague_accesses.unit_id, '-') as unit_id, count(*) as n_accesses,
        count(*) filter (where colleague_accesses.is_same_unit) as n_same_unit,
        count(distinct colleague_accesses.employee_id) as n_employees,
        count(distinct colleague_accesses.patient_id) as n_patients,
        count(explained_rows.access_id) as n_with_reason
    from colleague_accesses
    left join explained_rows on colleague_accesses.access_id = explained_rows.access_id
    group by coalesce(colleague_accesses.unit_id, '-')

)

select * from counted order by n_accesses desc, unit_id
