with

days as (

    -- half a day inwards, because midnight in UTC is not the local midnight
    select unnest(generate_series(
        cast($start_at + interval '12' hour as date), cast($end_at - interval '12' hour as date), interval '1' day
    )) as day

),

seen as (

    -- a week before the period, so that a gap across its beginning shows
    select
        seen.*, (select count(*) from patients) > 0 as has_patient_list,
        case when sources.running_number and seen.item = 0 then try_cast(seen.event_id as bigint) end as number
    from accesses as seen left join sources using (source_id)
    where seen.recorded_at >= $start_at - interval '7' day and seen.recorded_at < $end_at

),

numbered as (

    select *, lag(number) over (in_order) as previous_number, lag(recorded_at) over (in_order) as previous_at
    from seen
    window in_order as (partition by source_id, number is null order by number, recorded_at, access_id)

),

counted as (

    select
        source_id, local_date, count(*) as n_rows,
        cast(coalesce(sum(number - previous_number - 1), 0) as bigint) as n_missing_numbers,
        count(*) filter (where number is not null and recorded_at < previous_at and time_flag = 'ok')
            as n_clock_backwards,
        count(*) filter (where time_flag <> 'ok') as n_odd_hours,
        count(*) filter (where is_unknown_code) as n_unknown_codes,
        count(*) filter (where not is_confirmed and not is_unknown_code) as n_unconfirmed_codes,
        count(*) filter (where is_patient_unresolved) as n_patients_unresolved,
        count(*) filter (where is_employee_unresolved) as n_employees_unresolved,
        count(*) filter (where is_patient_unlisted and has_patient_list) as n_patients_not_in_list
    from numbered
    where recorded_at >= $start_at
    group by source_id, local_date

),

quarantined as (

    -- a refused record has no time: it counts on the first day of its file, or of the period
    select
        source_id,
        cast(greatest(coalesce(first_at, taken_in_at), $start_at + interval '11' hour) + interval '1' hour as date)
            as local_date,
        cast(sum(n_quarantined) as bigint) as n_quarantined, cast(sum(n_conflicts) as bigint) as n_conflicts
    from lake.intake_files
    where coalesce(last_at, taken_in_at) >= $start_at and coalesce(first_at, taken_in_at) < $end_at
    group by 1, 2

),

used as (

    -- a log that was never taken in is not expected
    select source_id from lake.intake_files where source_id not like 'reference:%'
    union
    select source_id from counted

),

expected as (

    select used.source_id, cast(days.day as date) as local_date from used cross join days
    union
    select source_id, local_date from counted

),

listed as (

    select
        expected.source_id, expected.local_date, coalesce(counted.n_rows, 0) as n_rows,
        coalesce(sources.expects_rows_daily, false) and counted.n_rows is null as is_silent,
        coalesce(counted.n_missing_numbers, 0) as n_missing_numbers,
        coalesce(counted.n_clock_backwards, 0) as n_clock_backwards,
        coalesce(quarantined.n_quarantined, 0) as n_quarantined, coalesce(quarantined.n_conflicts, 0) as n_conflicts,
        coalesce(counted.n_odd_hours, 0) as n_odd_hours, coalesce(counted.n_unknown_codes, 0) as n_unknown_codes,
        coalesce(counted.n_unconfirmed_codes, 0) as n_unconfirmed_codes,
        coalesce(counted.n_patients_unresolved, 0) as n_patients_unresolved,
        coalesce(counted.n_employees_unresolved, 0) as n_employees_unresolved,
        coalesce(counted.n_patients_not_in_list, 0) as n_patients_not_in_list
    from expected
    left join counted using (source_id, local_date) left join quarantined using (source_id, local_date)
    left join sources using (source_id)

)

select * from listed order by source_id, local_date
