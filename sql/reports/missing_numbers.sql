with

numbered as (

    -- a week before the period and a day after it, so that a gap across its beginning shows and numbers that were
    -- written out of order around its end do not; numbers of sixteen digits and more are no running number
    select
        events.source_id, try_cast(events.event_id as bigint) as number, events.recorded_at, events.local_date
    from events
    inner join sources on events.source_id = sources.source_id and sources.running_number
    where
        events.item = 0 and regexp_matches(events.event_id, '^[0-9]{1,15}$')
        and events.recorded_at >= $start_at - interval '7' day and events.recorded_at < $end_at + interval '1' day

),

steps as (

    select
        *, lag(number) over by_number as previous_number, lag(recorded_at) over by_number as previous_at
    from numbered
    window by_number as (partition by source_id order by number, recorded_at)

),

gaps as (

    -- a row that is days older than the one with the number before it belongs to another run of numbers
    select
        source_id, local_date,
        case when recorded_at < previous_at - interval '1' day then 'restart' else 'gap' end as kind_of_gap,
        number, previous_number, previous_at, recorded_at
    from steps
    where number - previous_number > 1 and recorded_at >= $start_at and recorded_at < $end_at

),

listed as (

    select
        source_id, local_date, kind_of_gap,
        cast(previous_number + 1 as varchar) as first_missing, cast(number - 1 as varchar) as last_missing,
        case when kind_of_gap = 'gap' then number - previous_number - 1 else 0 end as n_missing,
        previous_at as before_at, recorded_at as after_at
    from gaps

)

select * from listed order by source_id, after_at, first_missing
