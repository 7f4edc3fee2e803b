with

days as (

    select
        coalesce(max(unit_id), '-') as stratum,
        concat_ws('|', employee_id, patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from period_accesses
    where
        is_access and not is_patient_unresolved
        and exists (
            select 1 from staff_as_patients
            where staff_as_patients.employee_id = period_accesses.employee_id
                and staff_as_patients.patient_id = period_accesses.patient_id
                and period_accesses.local_date >= staff_as_patients.valid_from
                and period_accesses.local_date < staff_as_patients.valid_to
        )
    group by employee_id, patient_id, local_date

)

select * from days order by stratum, unit_key
