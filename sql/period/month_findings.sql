with

dated as (

    select
        finding_id, check_id, stream, employee_id, patient_id, unit_id, first_at, last_at,
        cast(coalesce(last_at, first_at) as date) as local_date,
        n_events, tail_probability, severity, explanation_found
    from finding_rows

)

select * from dated
