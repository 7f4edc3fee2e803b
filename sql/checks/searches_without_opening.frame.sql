with

days as (

    -- a search with a reason too: the reason is what the spot check tries
    select
        coalesce(max(unit_id), '-') as stratum,
        concat_ws('|', employee_id, patient_id, cast(local_date as varchar)) as unit_key,
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from followed_searches
    where employee_id is not null and not is_followed
    group by employee_id, patient_id, local_date

)

select * from days
