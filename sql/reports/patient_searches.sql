with

seen as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name, is_blocked, is_confirmed,
        outcome, time_flag, source_id, event_id, item, access_id, is_patient_search,
        case when is_access then recorded_at end as opened_at
    from accesses
    where
        recorded_at >= $start_at
        and recorded_at <= $end_at + $search_followed_minutes * interval '1' minute
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
        and (is_access or is_patient_search)

),

followed as (

    -- rows of the same second count as following, because a log gives no order within a second
    select
        *,
        min(opened_at) over (
            partition by employee_id, patient_id
            order by recorded_at
            range between current row and unbounded following
        ) as next_opened_at
    from seen

),

judged as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        case
            when employee_id is not null and patient_id is not null then coalesce(
                date_diff('microsecond', recorded_at, next_opened_at) <= $search_followed_minutes * 60000000, false
            )
        end as is_followed,
        case
            when
                employee_id is not null and patient_id is not null
                and date_diff('microsecond', recorded_at, next_opened_at) <= $search_followed_minutes * 60000000
                then next_opened_at
        end as opened_at,
        is_blocked, is_confirmed, outcome, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from followed
    where is_patient_search and recorded_at < $end_at

)

select * from judged order by recorded_at, source_id, event_id, item, access_id
