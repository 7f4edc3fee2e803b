with

listed as (

    -- each log record's rows, whatever table they stand in; narrow, because every day and number is counted from it
    select 'accesses' as event_table, source_id, event_id, item, file_id, recorded_at, local_date, time_flag
    from stored_accesses
    union all
    select 'authentications', source_id, event_id, 0, file_id, recorded_at, local_date, time_flag
    from lake.authentications
    union all
    select 'medication_events', source_id, event_id, 0, file_id, recorded_at, local_date, time_flag
    from lake.medication_events

)

select * from listed
