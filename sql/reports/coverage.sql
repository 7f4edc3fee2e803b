with

counted as (

    -- every page asks this, so it reads hours, not rows; an hour of which the period holds a part counts whole; the
    -- window is that of missing_numbers
    select
        counts.source_id, counts.local_date, case when sources.running_number then counts.block end as block,
        case when counts.hour_at + interval '1' hour <= $start_at then -1
            when counts.hour_at < $end_at then 0 else 1 end as phase,
        sum(counts.n_rows) as n_rows, sum(counts.n_odd_hours) as n_odd_hours, sum(counts.n_numbers) as n_numbers,
        min(counts.lowest) as lowest, max(counts.highest) as highest,
        min(counts.hour_at) as first_at, max(counts.hour_at) as last_at
    from event_counts as counts
    left join sources on counts.source_id = sources.source_id
    where counts.hour_at > $start_at - interval '169' hour and counts.hour_at < $end_at + interval '1' day
    group by all

),

blocks as (

    select
        source_id, block, min(lowest) as lowest, max(highest) as highest, sum(n_numbers) as n_numbers,
        min(first_at) as first_at, max(last_at) as last_at,
        max(highest) filter (where phase = -1) as highest_before,
        min(lowest) filter (where phase = 0) as lowest_in, max(highest) filter (where phase = 0) as highest_in,
        sum(n_numbers) filter (where phase = 0) as n_in
    from counted
    where block is not null
    group by source_id, block

),

holes as (

    -- a gap belongs to the period of the row after it; a block days older than the one before is of another numbering
    select
        source_id,
        case when lowest = lowest_in and last_at >= lag(first_at) over in_order - interval '1' day
            then lowest - lag(highest) over in_order - 1 else 0 end as n_between,
        greatest(case when n_in = n_numbers then highest - lowest + 1 - n_numbers when n_in > 0 then least(
            highest - lowest + 1 - n_numbers, highest_in - coalesce(highest_before, lowest_in - 1) - n_in
        ) else 0 end, 0) as n_within
    from blocks
    window in_order as (partition by source_id order by block)

),

missing as (

    select source_id, cast(sum(coalesce(n_between, 0) + n_within) as bigint) as n_missing_numbers
    from holes
    group by source_id

),

present as (

    select
        source_id, cast(sum(n_rows) as bigint) as n_rows, cast(sum(n_odd_hours) as bigint) as n_odd_hours,
        count(distinct local_date) as n_days
    from counted
    where phase = 0
    group by source_id

),

quarantined as (

    -- a log that was never taken in is not expected
    select
        source_id,
        cast(coalesce(sum(n_quarantined) filter (
            where coalesce(last_at, taken_in_at) >= $start_at and coalesce(first_at, taken_in_at) < $end_at
        ), 0) as bigint) as n_quarantined
    from lake.intake_files
    where source_id not like 'reference:%'
    group by source_id

),

listed as (

    -- half a day inwards, because midnight in UTC is not the local midnight
    select
        source_id, coalesce(present.n_rows, 0) as n_rows,
        case when sources.expects_rows_daily then greatest(date_diff(
            'day', cast($start_at + interval '12' hour as date), cast($end_at - interval '12' hour as date)
        ) + 1 - coalesce(present.n_days, 0), 0) else 0 end as n_silent_days,
        coalesce(missing.n_missing_numbers, 0) as n_missing_numbers, coalesce(present.n_odd_hours, 0) as n_odd_hours,
        coalesce(quarantined.n_quarantined, 0) as n_quarantined
    from present full join quarantined using (source_id)
    left join missing using (source_id) left join sources using (source_id)

)

select * from listed order by source_id
