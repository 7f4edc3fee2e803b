with

numbered as (

    -- as in missing_numbers; a time in an odd hour is compared with none
    select
        events.source_id, events.local_date, try_cast(events.event_id as bigint) as number,
        case when events.time_flag = 'ok' then events.recorded_at end as recorded_at
    from events
    inner join sources on events.source_id = sources.source_id and sources.running_number
    where
        events.item = 0 and regexp_matches(events.event_id, '^[0-9]{1,15}$')
        and events.recorded_at >= $start_at - interval '7' day and events.recorded_at < $end_at

),

steps as (

    select *, lag(number) over by_number as previous_number, lag(recorded_at) over by_number as previous_at
    from numbered
    window by_number as (partition by source_id order by number, recorded_at)

),

paced as (

    select source_id, date_diff('second', min(recorded_at), max(recorded_at)) / count(*) as mean_step
    from steps
    group by source_id

),

faults as (

    select
        steps.source_id, steps.local_date, steps.recorded_at,
        case when steps.recorded_at < steps.previous_at then 'backwards' else 'leap' end as kind_of_fault,
        abs(date_diff('second', steps.previous_at, steps.recorded_at)) as n_seconds
    from steps inner join paced using (source_id)
    where
        steps.recorded_at < steps.previous_at - $clock_tolerance_minutes * interval '1' minute
        or (
            steps.number = steps.previous_number + 1
            and steps.recorded_at > steps.previous_at + $clock_leap_hours * interval '1' hour
            and date_diff('second', steps.previous_at, steps.recorded_at) > 100 * paced.mean_step
        )
    union all
    select
        events.source_id, events.local_date, events.recorded_at, 'ahead',
        date_diff('second', files.taken_in_at, events.recorded_at)
    from events
    inner join lake.intake_files as files on events.file_id = files.file_id and events.source_id = files.source_id
    where
        events.recorded_at >= $start_at and events.recorded_at < $end_at
        and events.recorded_at > files.taken_in_at + $clock_tolerance_minutes * interval '1' minute

),

counted as (

    select
        source_id, local_date, kind_of_fault, count(*) as n_rows, min(recorded_at) as first_at,
        cast(max(n_seconds) // 60 as bigint) as n_minutes
    from faults
    where recorded_at >= $start_at
    group by source_id, local_date, kind_of_fault

)

select * from counted order by source_id, local_date, kind_of_fault
