with

picked as (

    select distinct unnest($unit_keys) as unit_key

),

own as (

    select
        picked.unit_key, period_accesses.access_id, period_accesses.employee_id, period_accesses.patient_id,
        period_accesses.local_date, period_accesses.recorded_at, explained_accesses.reasons
    from period_accesses
    inner join picked
        on picked.unit_key = concat_ws(
            '|', coalesce(period_accesses.employee_id, '-'), period_accesses.patient_id,
            cast(period_accesses.local_date as varchar)
        )
    left join explained_accesses on period_accesses.access_id = explained_accesses.access_id
    where
        period_accesses.is_access and not period_accesses.is_patient_unresolved
        and period_accesses.recorded_at >= $start_at and period_accesses.recorded_at < $end_at

),

days as (

    select
        unit_key, employee_id, patient_id, local_date,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at,
        count(*) as n_accesses,
        count(*) filter (where reasons is not null) as n_explained
    from own
    group by unit_key, employee_id, patient_id, local_date

),

found as (

    select unit_key, array_to_string(array_agg(distinct reason order by reason), ', ') as reasons
    from (select unit_key, unnest(reasons) as reason from own) as each_reason
    group by unit_key

),

others as (

    select
        days.unit_key,
        count(*) as n_other_accesses,
        count(distinct period_accesses.local_date) as n_other_days,
        min(period_accesses.recorded_at) as first_other_at,
        max(period_accesses.recorded_at) as last_other_at
    from days
    inner join period_accesses
        on days.patient_id = period_accesses.patient_id
        and days.employee_id = period_accesses.employee_id
        and days.local_date <> period_accesses.local_date
    where period_accesses.is_access and not period_accesses.is_patient_unresolved
    group by days.unit_key

),

worked as (

    -- shifts near the day's accesses, whatever the clock says of midnight
    select
        days.unit_key, count(*) as n_shifts,
        min(shifts.starts_at) as shift_from, max(shifts.ends_at) as shift_to, min(shifts.unit_id) as shift_unit_id,
        bool_or(shifts.starts_at <= days.first_at and shifts.ends_at > days.last_at) as is_within_shift
    from days
    inner join shifts
        on days.employee_id = shifts.employee_id
        and shifts.starts_at < days.last_at + interval '12' hour
        and shifts.ends_at > days.first_at - interval '12' hour
    where coalesce(shifts.status, 'planned') not in ('absent', 'cancelled', 'swapped') and shifts.kind <> 'other'
    group by days.unit_key

),

sampled_days as (

    select
        days.unit_key, days.employee_id, days.patient_id, days.local_date, days.first_at, days.last_at,
        days.n_accesses, days.n_explained, found.reasons,
        coalesce(worked.n_shifts, 0) as n_shifts, worked.shift_from, worked.shift_to, worked.shift_unit_id,
        worked.is_within_shift,
        coalesce(others.n_other_accesses, 0) as n_other_accesses, coalesce(others.n_other_days, 0) as n_other_days,
        others.first_other_at, others.last_other_at
    from days
    left join found on days.unit_key = found.unit_key
    left join worked on days.unit_key = worked.unit_key
    left join others on days.unit_key = others.unit_key

)

select * from sampled_days order by unit_key, employee_id, patient_id
