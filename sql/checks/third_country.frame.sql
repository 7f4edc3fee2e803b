with

days as (

    -- approved travel too: what is excepted is looked at now and then
    select
        country_group, employee_id, patient_id, local_date, country, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from period_presences
    where is_use and country_group in ('third', 'adequate', 'adequate_partly') and employee_id is not null
    group by country_group, employee_id, patient_id, local_date, country

),

units_of_sampling as (

    select
        country_group as stratum,
        concat_ws('|', employee_id, coalesce(patient_id, ''), cast(local_date as varchar), country) as unit_key,
        employee_id, patient_id, local_date, unit_id, first_at, last_at, n_events
    from days

)

select * from units_of_sampling
