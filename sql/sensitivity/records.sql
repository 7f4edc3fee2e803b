with

tables as (

    select distinct source_id, table_name from drawn_donors where is_named_by_record and related = 'record'

),

records as (

    -- one record of each patient in each table whose rows name the record and not the patient
    select
        identifier_periods.source_id, tables.table_name, identifier_periods.id as patient_id,
        min(substr(identifier_periods.identifier, length(tables.table_name) + 2)) as record_ref
    from identifier_periods
    inner join tables
        on identifier_periods.source_id = tables.source_id
        and starts_with(identifier_periods.identifier, tables.table_name || ':')
    where
        identifier_periods.kind = 'patient' and identifier_periods.is_record
        and identifier_periods.id in (select patient_id from drawn_everybody)
        and identifier_periods.valid_from <= cast($start_at as date)
        and identifier_periods.valid_to > cast($end_at as date)
    group by identifier_periods.source_id, tables.table_name, identifier_periods.id

)

select * from records order by source_id, table_name, patient_id
