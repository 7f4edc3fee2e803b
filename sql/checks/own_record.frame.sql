with

days as (

    select
        coalesce(max(unit_id), '-') as stratum,
        concat_ws('|', employee_id, patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from period_accesses
    semi join staff_as_patients as staff
        on period_accesses.employee_id = staff.employee_id and period_accesses.patient_id = staff.patient_id
        and period_accesses.local_date >= staff.valid_from and period_accesses.local_date < staff.valid_to
    where is_access and not is_patient_unresolved
    group by employee_id, patient_id, local_date

)

select * from days
