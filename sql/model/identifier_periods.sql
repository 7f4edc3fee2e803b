with

delivered as (

    select kind, system, identifier, id, false as is_record, valid_from, valid_to from identifiers
    union all
    -- a record id stands in the log as the table and the record together
    select 'patient', source_id, table_name || ':' || record_ref, patient_id, true, valid_from, valid_to
    from record_keys

),

by_source as (

    -- a register's row holds for the logs that write its numbers, a row without a system for every log
    select delivered.*, system as source_id, 1 as distance from delivered where system is not null
    union all
    select delivered.*, source_registers.source_id, 2 as distance
    from delivered inner join source_registers on delivered.system = source_registers.register
    union all
    select delivered.*, sources.source_id, 3 as distance from delivered cross join sources where system is null

),

repeated as (

    select source_id, kind, identifier from by_source group by source_id, kind, identifier having count(*) > 1

),

several as (select * from by_source semi join repeated using (source_id, kind, identifier)),

starts as (

    select source_id, kind, identifier, valid_from as starts_on from several
    union
    select source_id, kind, identifier, valid_to as starts_on from several

),

stretches as (

    select *, lead(starts_on) over (partition by source_id, kind, identifier order by starts_on) as ends_on from starts

),

ranked as (

    -- the log's own row goes before a register's and that before one for every log, then the row that began last
    select
        stretches.*, several.id, several.is_record,
        row_number() over (
            partition by stretches.source_id, stretches.kind, stretches.identifier, stretches.starts_on
            order by several.distance, several.valid_from desc, several.id
        ) as place
    from stretches
    inner join several
        on stretches.source_id = several.source_id
        and stretches.kind = several.kind and stretches.identifier = several.identifier
        and stretches.starts_on >= several.valid_from and stretches.starts_on < several.valid_to
    where stretches.ends_on is not null

),

resolved as (

    select source_id, kind, identifier, id, is_record, valid_from, valid_to
    from by_source anti join repeated using (source_id, kind, identifier)
    union all
    select source_id, kind, identifier, id, is_record, starts_on as valid_from, ends_on as valid_to
    from ranked where place = 1

),

numbers as (

    select source_id, identifier, id, valid_from, valid_to from resolved where kind = 'patient' and not is_record

),

followed as (

    -- a list of record keys that the log's own system made names patients by that system's numbers
    select
        records.source_id, records.kind, records.identifier, coalesce(numbers.id, records.id) as id, is_record,
        greatest(records.valid_from, coalesce(numbers.valid_from, records.valid_from)) as valid_from,
        least(records.valid_to, coalesce(numbers.valid_to, records.valid_to)) as valid_to
    from (select * from resolved where is_record) as records
    left join numbers
        on records.source_id = numbers.source_id and records.id = numbers.identifier
        and records.valid_from < numbers.valid_to and records.valid_to > numbers.valid_from
    union all
    select source_id, kind, identifier, id, is_record, valid_from, valid_to from resolved where not is_record

)

select * from followed
