with

counted as (

    select
        coalesce(unit_id, '-') as unit_id, count(distinct employee_id) as n_employees,
        count(distinct patient_id) as n_patients, count(*) as n_rows
    from period_accesses
    where
        (is_access or is_patient_search)
        and exists (
            select 1 from media_interest
            where media_interest.patient_id = period_accesses.patient_id
                and period_accesses.local_date >= media_interest.valid_from
                and period_accesses.local_date < media_interest.valid_to
        )
    group by coalesce(unit_id, '-')

)

select * from counted order by n_rows desc, unit_id
