with

counted as (

    select
        coalesce(unit_id, '-') as unit_id, count(distinct employee_id) as n_employees,
        count(distinct patient_id) as n_patients, count(*) as n_rows
    from period_accesses
    where
        is_access
        and exists (
            select 1 from patient_flags
            where patient_flags.patient_id = period_accesses.patient_id
                and patient_flags.flag <> 'deceased'
                and period_accesses.local_date >= patient_flags.valid_from
                and period_accesses.local_date < patient_flags.valid_to
        )
    group by coalesce(unit_id, '-')

)

select * from counted order by n_rows desc, unit_id
