with

counted as (

    select
        source_id, file_id, has_numbers, event_table, local_date, hour_at, block, n_rows, n_odd_hours, n_numbers,
        lowest, highest
    from lake.hourly_counts
    where file_id not in (select file_id from uncounted_files)

),

numbered as (

    -- numbers of sixteen digits and more are no running number
    select
        events.*, uncounted_files.has_numbers,
        case when uncounted_files.has_numbers then
            case when events.item = 0 and regexp_matches(events.event_id, '^[0-9]{1,15}$')
                then try_cast(events.event_id as bigint) end
        end as number
    from events
    inner join uncounted_files
        on events.file_id = uncounted_files.file_id and events.source_id = uncounted_files.source_id

),

uncounted as (

    select
        source_id, file_id, has_numbers, event_table, local_date, date_trunc('hour', recorded_at) as hour_at,
        number // 4096 as block, count(*) as n_rows, count(*) filter (where time_flag <> 'ok') as n_odd_hours,
        count(number) as n_numbers, min(number) as lowest, max(number) as highest
    from numbered
    group by all

),

every as (

    select * from counted
    union all
    select * from uncounted

)

select * from every
