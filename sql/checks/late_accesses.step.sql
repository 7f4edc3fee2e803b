with

deaths as (

    select patient_id, min(died_on) as died_on
    from (
        select patient_id, valid_from as died_on from patient_flags where flag = 'deceased'
        union all
        select patient_id, cast(ends_at as date) as died_on from stays where end_reason = 'deceased'
    ) as stated
    group by patient_id

),

begun as (

    select patient_id, starts_at, max(ends_at) as ends_at
    from stays
    where starts_at < $end_at
    group by patient_id, starts_at

),

left_stays as (

    -- of the stays begun by then, the latest end; a stay that still runs ends in the year 9999
    select
        patient_id, starts_at,
        lead(starts_at) over (partition by patient_id order by starts_at) as next_starts_at,
        cast(max(ends_at) over (
            partition by patient_id order by starts_at rows between unbounded preceding and current row
        ) as date) as left_on
    from begun

),

ends as (

    select
        patient_id, 'dead' as ended, died_on as ended_on, cast(null as date) as died_on,
        cast(null as timestamp) as starts_at, cast(null as timestamp) as next_starts_at
    from deaths
    where died_on < $end_at
    union all
    select
        left_stays.patient_id, 'discharged' as ended, left_stays.left_on as ended_on, deaths.died_on,
        left_stays.starts_at, left_stays.next_starts_at
    from left_stays
    left join deaths on left_stays.patient_id = deaths.patient_id
    where left_stays.left_on < $end_at and coalesce(left_stays.next_starts_at > $start_at, true)

),

late as (

    -- who died after the discharge counts as dead once the days after the death are over, and never as both
    select
        seen.access_id, seen.employee_id, seen.patient_id, seen.unit_id, seen.recorded_at, seen.local_date,
        ends.ended, date_diff('day', ends.ended_on, seen.local_date) as n_days_after
    from period_accesses as seen
    inner join ends
        on seen.patient_id = ends.patient_id
        and date_diff('day', ends.ended_on, seen.local_date) > $documentation_days
        and coalesce(date_diff('day', ends.died_on, seen.local_date) <= $documentation_days, true)
        and coalesce(seen.recorded_at >= ends.starts_at, true)
        and coalesce(seen.recorded_at < ends.next_starts_at, true)
    where seen.is_access and not seen.is_patient_unresolved

)

select * from late
