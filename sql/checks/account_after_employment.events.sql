with

uses as (

    select
        recorded_at, local_date, employee_id, action as kind, outcome, patient_id, network_address, country,
        session_id, source_id, event_id, item
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and employee_id is not distinct from $employee_id
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
        and ($patient_id is null or patient_id = $patient_id)
    union all
    select
        recorded_at, local_date, coalesce(employee_id, account) as employee_id, kind,
        case when kind = 'failure' then 'failed' end as outcome, null as patient_id, network_address, country,
        session_id, source_id, event_id, 0 as item
    from authentications
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and coalesce(employee_id, account) is not distinct from $employee_id
        and $patient_id is null

)

select * from uses order by recorded_at, source_id, event_id, item
