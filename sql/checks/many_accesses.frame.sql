with

pairs as (

    -- the kind in plain terms, with or without a reason: many accesses by one employee to one patient
    select employee_id, patient_id
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved
    group by employee_id, patient_id
    having count(*) >= $minimum_openings

),

days as (

    select
        coalesce(max(unit_id), '-') as stratum,
        concat_ws('|', employee_id, patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from period_accesses
    semi join pairs using (employee_id, patient_id)
    where is_access and not is_patient_unresolved
    group by employee_id, patient_id, local_date

)

select * from days
