with

days as (

    -- half a day inwards, because midnight in UTC is not the local midnight
    select
        cast(day as date) as day, day >= $start_at as is_in_period,
        -- 1990-01-01 was a Monday; a public holiday counts as a Sunday
        case when cast(day as date) in (select unnest(cast($public_holidays as date[]))) then 7
            else date_diff('day', date '1990-01-01', cast(day as date)) % 7 + 1 end as kind_of_day,
        cast(day + interval '1' day as date) in (select unnest(cast($public_holidays as date[]))) as is_eve
    from (select unnest(generate_series(
        $start_at + interval '12' hour - $comparison_weeks * interval '7' day, $end_at - interval '12' hour,
        interval '1' day
    )) as day) as moments

),

counted as (

    select source_id, local_date, count(*) as n_rows, count(*) filter (where time_flag <> 'ok') as n_odd_hours
    from events
    where recorded_at >= $start_at - $comparison_weeks * interval '7' day and recorded_at < $end_at
    group by source_id, local_date

),

used as (

    -- a log that was never taken in is not expected
    select source_id from lake.intake_files where source_id not like 'reference:%'
    union
    select source_id from counted

),

placed as (

    select
        used.source_id, days.day, days.is_in_period, days.kind_of_day, days.is_eve,
        coalesce(sources.expects_rows_daily, false) as is_daily,
        coalesce(counted.n_rows, 0) as n_rows, coalesce(counted.n_odd_hours, 0) as n_odd_hours,
        -- days before the log's first are no history, nor is a day that should have had rows and had none
        days.day >= min(counted.local_date) over (partition by used.source_id)
        and not (coalesce(sources.expects_rows_daily, false) and counted.n_rows is null) as is_comparable
    from used cross join days
    left join counted on used.source_id = counted.source_id and days.day = counted.local_date
    left join sources on used.source_id = sources.source_id

),

compared as (

    select
        asked.source_id, asked.day, asked.is_daily, asked.n_rows, asked.n_odd_hours,
        count(earlier.day) filter (where earlier.kind_of_day = asked.kind_of_day) as n_compared,
        percentile_cont(0.5) within group (order by earlier.n_rows)
            filter (where earlier.kind_of_day = asked.kind_of_day) as usual,
        -- the day before a public holiday may be as quiet as a Sunday
        percentile_cont(0.5) within group (order by earlier.n_rows) filter (where earlier.kind_of_day = 7) as on_sundays
    from placed as asked
    left join placed as earlier
        on asked.source_id = earlier.source_id and earlier.is_comparable
        and earlier.kind_of_day in (asked.kind_of_day, case when asked.is_eve then 7 end)
        and earlier.day < asked.day and earlier.day >= asked.day - $comparison_weeks * interval '7' day
    where asked.is_in_period
    group by asked.source_id, asked.day, asked.kind_of_day, asked.is_daily, asked.n_rows, asked.n_odd_hours

),

judged as (

    select
        source_id, day as local_date, n_rows, n_odd_hours, n_compared, is_daily,
        n_compared >= $least_comparable_days as has_history, cast(round(usual) as bigint) as n_expected,
        cast(ceil(greatest(least(quiet * $least_share_of_expected, quiet - 3 * sqrt(quiet)), 0)) as bigint) as n_lowest,
        cast(floor(greatest(usual / $least_share_of_expected, usual + 3 * sqrt(usual) + 3)) as bigint) as n_highest
    from (select *, least(usual, on_sundays) as quiet from compared) as bounded

),

named as (

    select
        source_id, local_date, n_rows, case when has_history then n_expected end as n_expected,
        case when has_history then n_lowest end as n_lowest, case when has_history then n_highest end as n_highest,
        n_compared, n_odd_hours,
        case
            when n_rows = 0 and (is_daily or (has_history and n_lowest > 0)) then 'silent'
            when not has_history then 'no_history'
            when n_rows < n_lowest then 'low'
            when n_rows > n_highest then 'high'
            else 'ok'
        end as status
    from judged

)

select * from named order by source_id, local_date
