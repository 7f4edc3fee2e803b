with

days as (

    -- the days of grace too: what is judged lightly is looked at now and then
    select
        uses.employee_id, uses.local_date, max(uses.unit_id) as unit_id,
        min(uses.recorded_at) as first_at, max(uses.recorded_at) as last_at, count(*) as n_events
    from period_presences as uses
    inner join employment_gaps as gaps
        on uses.employee_id = gaps.employee_id
        and uses.local_date >= gaps.left_from and uses.local_date < gaps.left_to
    where uses.is_use
    group by uses.employee_id, uses.local_date

),

units_of_sampling as (

    select
        coalesce(unit_id, '-') as stratum, concat_ws('|', employee_id, cast(local_date as varchar)) as unit_key,
        employee_id, cast(null as varchar) as patient_id, local_date, unit_id, first_at, last_at, n_events
    from days

)

select * from units_of_sampling
