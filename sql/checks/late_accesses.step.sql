with

deaths as (

    select patient_id, min(died_on) as died_on
    from (
        select patient_id, valid_from as died_on from patient_flags where flag = 'deceased'
        union all
        select patient_id, cast(ends_at as date) as died_on from stays where end_reason = 'deceased'
    ) as stated
    where died_on < $end_at
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

    -- who died after the discharge counts as dead once the days after the death are over, and never as both
    select
        patient_id, 'dead' as ended, died_on as ended_on, date '9999-12-31' as to_date,
        timestamp '0001-01-01' as starts_at, timestamp '9999-12-31' as next_starts_at
    from deaths
    union all
    select
        left_stays.patient_id, 'discharged' as ended, left_stays.left_on as ended_on,
        coalesce(cast(deaths.died_on + ($documentation_days + 1) * interval '1' day as date), date '9999-12-31')
            as to_date,
        left_stays.starts_at, coalesce(left_stays.next_starts_at, timestamp '9999-12-31') as next_starts_at
    from left_stays
    left join deaths on left_stays.patient_id = deaths.patient_id

),

late_from as (

    -- what ends after the period, or what another stay follows before it, is of no matter
    select *, cast(ended_on + ($documentation_days + 1) * interval '1' day as date) as from_date
    from ends
    where ended_on < $end_at and next_starts_at > $start_at

),

late as (

    select
        seen.access_id, seen.employee_id, seen.patient_id, seen.unit_id, seen.recorded_at, seen.local_date,
        late_from.ended, date_diff('day', late_from.ended_on, seen.local_date) as n_days_after
    from period_accesses as seen
    inner join late_from
        on seen.patient_id = late_from.patient_id
        and seen.local_date >= late_from.from_date and seen.local_date < late_from.to_date
        and seen.recorded_at >= late_from.starts_at and seen.recorded_at < late_from.next_starts_at
    where seen.is_access and not seen.is_patient_unresolved

)

select * from late
