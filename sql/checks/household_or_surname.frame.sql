with

days as (

    select
        coalesce(max(unit_id), '-') as stratum,
        concat_ws('|', employee_id, patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(distinct access_id) as n_events
    from close_accesses
    where employee_id is not null
    group by employee_id, patient_id, local_date

)

select * from days
