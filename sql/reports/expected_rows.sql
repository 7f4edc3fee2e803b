with

days as (

    -- noon of each day; 1990-01-01 was a Monday; a public holiday counts as a Sunday
    select
        cast(day as date) as day, day >= $start_at as is_in_period,
        case when cast(day as date) in (select unnest(cast($public_holidays as date[]))) then 7
            else date_diff('day', date '1990-01-01', cast(day as date)) % 7 + 1 end as kind,
        cast(day + interval '1' day as date) in (select unnest(cast($public_holidays as date[]))) as is_eve
    from (select unnest(generate_series(
        $start_at - $comparison_weeks * interval '7' day + interval '12' hour, $end_at, interval '1' day
    )) as day) as moments

),

counted as (

    select source_id, local_date, sum(n_rows)::bigint as n_rows, sum(n_odd_hours)::bigint as n_odd_hours
    from event_counts
    where hour_at > $start_at - $comparison_weeks * interval '7' day - interval '1' hour and hour_at < $end_at
    group by all

),

used as (

    -- a log that was never taken in is not expected
    select source_id from lake.intake_files where source_id not like 'reference:%' union select source_id from counted

),

placed as (

    select
        used.source_id, days.day, days.is_in_period, days.kind, days.is_eve,
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
        count(earlier.day) filter (where earlier.kind = asked.kind) as n_compared,
        percentile_cont(0.25) within group (order by earlier.n_rows)
            filter (where earlier.kind = asked.kind) as lower_quarter,
        percentile_cont(0.5) within group (order by earlier.n_rows) filter (where earlier.kind = asked.kind) as usual,
        percentile_cont(0.75) within group (order by earlier.n_rows)
            filter (where earlier.kind = asked.kind) as upper_quarter,
        -- the day before a public holiday may be as quiet as a Sunday
        percentile_cont(0.5) within group (order by earlier.n_rows) filter (where earlier.kind = 7) as on_sundays
    from placed as asked
    left join placed as earlier
        on asked.source_id = earlier.source_id and earlier.is_comparable
        and earlier.kind in (asked.kind, case when asked.is_eve then 7 end)
        and earlier.day < asked.day and earlier.day >= asked.day - $comparison_weeks * interval '7' day
    where asked.is_in_period
    group by asked.source_id, asked.day, asked.kind, asked.is_daily, asked.n_rows, asked.n_odd_hours

),

judged as (

    -- the middle half of a bell curve is 1.35 standard deviations wide; no rows are too few where ten were usual
    select
        source_id, day, cast(round(usual) as bigint) as n_expected, least(lower_quarter, on_sundays) > 9 as is_usual,
        cast(ceil(greatest(least(quiet * share, quiet - 3 * deviation), 0)) as bigint) as n_lowest,
        cast(floor(greatest(usual / nullif(share, 0), usual + 3 * deviation + 3)) as bigint) as n_highest
    from (
        select *, least(usual, on_sundays) as quiet, cast($least_share_of_expected as decimal(5, 4)) as share,
            greatest(sqrt(usual), (upper_quarter - lower_quarter) / 1.35) as deviation
        from compared where n_compared >= $least_comparable_days) as bounded

),

named as (

    select
        source_id, day as local_date, compared.n_rows, judged.n_expected, judged.n_lowest, judged.n_highest,
        compared.n_compared, compared.n_odd_hours,
        case
            when compared.n_rows = 0 and (compared.is_daily or judged.is_usual) then 'silent'
            when judged.day is null then 'no_history'
            when compared.n_rows < judged.n_lowest then 'low'
            when compared.n_rows > judged.n_highest then 'high'
            else 'ok'
        end as status
    from compared left join judged using (source_id, day)

)

select * from named order by source_id, local_date
