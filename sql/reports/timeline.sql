with

counted as (

    select
        local_date as day,
        count(*) as n_accesses
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and ($patient_id is null or patient_id = $patient_id)
        and ($patient_id is null or patient_identifier in (
            select prefix || $patient_id from identifier_prefixes
            union all
            select identifier from patient_identifiers where patient_id = $patient_id
        ))
        and ($employee_id is null or employee_id = $employee_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
        and is_access
    group by local_date

)

select * from counted order by day
