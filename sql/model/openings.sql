with

marked as (

    -- a row begins a new opening when previous_at is empty or the setting opening_gap_minutes away
    select
        access_id, source_id, employee_id, patient_id, table_name, area, action, local_date, recorded_at,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name
            order by recorded_at, event_id, item
        ) as previous_at
    from accesses
    where is_access and patient_id is not null

)

select * from marked
