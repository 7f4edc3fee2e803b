with

days as (

    -- half a day inwards, because midnight in UTC is not the local midnight
    select unnest(generate_series(
        cast($start_at + interval '12' hour as date), cast($end_at - interval '12' hour as date), interval '1' day
    )) as day

),

seen as (

    -- the stored rows, not the view `accesses`: every page asks this. A week before the period, as in completeness
    select
        source_id, local_date, time_flag, recorded_at >= $start_at as is_in_period,
        case when sources.running_number and stored_accesses.item = 0 and length(stored_accesses.event_id) < 16
            then try_cast(stored_accesses.event_id as bigint) end as number
    from stored_accesses
    left join sources using (source_id)
    where recorded_at >= $start_at - interval '7' day and recorded_at < $end_at

),

daily as (

    select
        source_id, local_date, is_in_period, count(*) filter (where time_flag <> 'ok') as n_odd_hours,
        min(number) as lowest, max(number) as highest, count(number) as n_numbers
    from seen
    group by source_id, local_date, is_in_period

),

bounded as (

    select
        source_id, min(lowest) as lowest, max(highest) as highest, sum(n_numbers) as n_all,
        min(lowest) filter (where is_in_period) as first_number,
        max(highest) filter (where is_in_period) as last_number,
        sum(n_numbers) filter (where is_in_period) as n_numbers,
        max(highest) filter (where not is_in_period) as number_before
    from daily
    group by source_id

),

gaps as (

    -- the whole week counts only where the clock went backwards across the period's beginning
    select case
        when first_number is null then 0
        when number_before > first_number then highest - lowest + 1 - n_all
        else last_number - coalesce(number_before, first_number - 1) - n_numbers
    end as n_missing
    from bounded

),

used as (

    -- a log that was never taken in is not expected
    select source_id from lake.intake_files where source_id not like 'reference:%'
    union
    select source_id from daily

),

silent as (

    select distinct days.day
    from used
    inner join sources on used.source_id = sources.source_id and sources.expects_rows_daily
    cross join days
    left join daily
        on used.source_id = daily.source_id and cast(days.day as date) = daily.local_date and daily.is_in_period
    where daily.source_id is null

),

counted as (

    select
        (select count(*) from silent) as n_silent_days,
        cast(coalesce((select sum(greatest(n_missing, 0)) from gaps), 0) as bigint) as n_missing_numbers,
        cast(coalesce((select sum(n_odd_hours) from daily where is_in_period), 0) as bigint) as n_odd_hours,
        (
            select cast(coalesce(sum(n_quarantined), 0) as bigint) from lake.intake_files
            where
                source_id not like 'reference:%'
                and coalesce(last_at, taken_in_at) >= $start_at and coalesce(first_at, taken_in_at) < $end_at
        ) as n_quarantined

)

select * from counted order by n_silent_days
