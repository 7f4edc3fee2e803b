with

kinds as (

    select
        source_id, event_id, item,
        case
            when is_patient_search and not is_blocked_search then 'search'
            when is_access and action = 'read' then 'read'
            when is_access and action in ('print', 'export') then 'print'
        end as deed,
        access_id
    from period_accesses
    where not is_break_glass and not is_blocked and patient_id is not null and not is_patient_unresolved

),

placed as (

    select *, row_number() over (partition by source_id, deed order by access_id) as place
    from kinds
    where deed is not null

),

chosen as (

    select * from placed where place <= $most

),

rows_of_month as (

    select * from stored_accesses where recorded_at >= $start_at and recorded_at < $end_at

),

donors as (

    -- the patient stands in them, or a record of a table whose records are known
    select
        chosen.deed, chosen.place, coalesce(record_tables.related, 'unknown') as related,
        rows_of_month.patient_id is not distinct from rows_of_month.table_name || ':' || rows_of_month.record_ref
            as is_named_by_record,
        rows_of_month.* exclude (access_id)
    from chosen
    inner join rows_of_month
        on chosen.source_id = rows_of_month.source_id and chosen.event_id = rows_of_month.event_id
        and chosen.item = rows_of_month.item
    left join record_tables
        on rows_of_month.source_id = record_tables.source_id and rows_of_month.table_name = record_tables.table_name
    where
        rows_of_month.patient_id is not null
        and (
            rows_of_month.patient_id is distinct from rows_of_month.table_name || ':' || rows_of_month.record_ref
            or record_tables.related in ('patient', 'record')
        )

)

select * from donors order by source_id, deed, place
