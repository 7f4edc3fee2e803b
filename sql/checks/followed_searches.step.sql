with

searches as (

    select access_id, employee_id, patient_id, unit_id, recorded_at, local_date
    from period_accesses
    where is_patient_search

),

sought as (

    select distinct employee_id, patient_id from searches where employee_id is not null and patient_id is not null

),

seen as (

    select
        employee_id, patient_id, recorded_at, case when is_patient_search then access_id end as search_id,
        case when is_access then recorded_at end as opened_at
    from period_accesses
    semi join sought using (employee_id, patient_id)
    where is_access or is_patient_search
    union all
    -- what follows the last searches of the period
    select
        employee_id, patient_id, recorded_at, cast(null as uuid) as search_id, recorded_at as opened_at
    from accesses
    semi join sought using (employee_id, patient_id)
    where
        recorded_at >= $end_at and recorded_at <= $end_at + $search_followed_minutes * interval '1' minute
        and is_access

),

followed as (

    -- rows of the same second count as following, because a log gives no order within a second
    select
        search_id, recorded_at,
        min(opened_at) over (
            partition by employee_id, patient_id
            order by recorded_at
            range between current row and unbounded following
        ) as next_opened_at
    from seen

),

judged as (

    -- empty where the log does not say who was searched for, or by whom
    select
        searches.*,
        case when followed.search_id is not null then coalesce(
            date_diff('microsecond', followed.recorded_at, followed.next_opened_at)
            <= $search_followed_minutes * 60000000, false
        ) end as is_followed
    from searches
    left join followed on searches.access_id = followed.search_id

)

select * from judged
