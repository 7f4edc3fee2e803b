with

days as (

    select
        employee_id, patient_id, local_date, max(unit_id) as unit_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events
    from period_accesses
    where
        employee_id is not null and patient_id is not null
        and (is_access or is_patient_search)
        and exists (
            select 1 from media_interest
            where media_interest.patient_id = period_accesses.patient_id
                and period_accesses.local_date >= media_interest.valid_from
                and period_accesses.local_date < media_interest.valid_to
        )
    group by employee_id, patient_id, local_date

),

units_of_sampling as (

    select
        coalesce(unit_id, '-') as stratum, concat_ws('|', employee_id, patient_id, cast(local_date as varchar))
            as unit_key,
        employee_id, patient_id, local_date, unit_id, first_at, last_at, n_events
    from days

)

select * from units_of_sampling
