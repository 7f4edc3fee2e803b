-- The staged rows of every readable record with UTC and local time; only those with status 'new' are stored.
-- `staged_rows` is one of the staged tables.
with placed as (
    select
        staged_rows.* exclude (event_id, recorded_at, recorded_local),
        record_status.event_id,
        record_status.status,
        coalesce(
            staged_rows.recorded_at,
            staged_rows.recorded_local - to_seconds(by_local.offset_seconds)
        ) as recorded_at,
        coalesce(
            staged_rows.recorded_local,
            staged_rows.recorded_at + to_seconds(by_utc.offset_seconds)
        ) as local_at,
        case
            when staged_rows.recorded_at is not null then 'ok'
            when by_local.time_flag = 'ok' then $flag_of_local
            else by_local.time_flag
        end as time_flag
    from staged_rows
    inner join record_status
        on staged_rows.record_number = record_status.record_number and record_status.status in ('new', 'known')
    left join zone_offsets as by_local
        on staged_rows.recorded_at is null
        and staged_rows.recorded_local >= by_local.local_from
        and staged_rows.recorded_local < by_local.local_to
    left join zone_offsets as by_utc
        on staged_rows.recorded_at >= by_utc.utc_from
        and staged_rows.recorded_at < by_utc.utc_to
)

select
    placed.* exclude (local_at),
    $source_id as source_id,
    $file_id as file_id,
    cast(local_at as date) as local_date,
    cast(date_part('hour', local_at) as tinyint) as local_hour,
    cast(date_part('isodow', local_at) as tinyint) as local_weekday,
    cast(local_at as date) in (select holiday_date from public_holidays where holiday_date is not null) as is_holiday
from placed
