with

delivered as (

    select
        kind, system, identifier, id, false as is_record, valid_from, valid_to, delivered_at, delivery_id, row_number
    from lake.identifiers
    union all
    -- a record id stands in the log as the table and the record together
    select
        'patient', source_id, table_name || ':' || record_ref, patient_id, true,
        valid_from, valid_to, delivered_at, delivery_id, row_number
    from lake.record_keys

),

latest as (

    select
        *,
        coalesce(valid_from, date '0001-01-01') as begins,
        coalesce(valid_to, date '9999-12-31') as ends,
        row_number() over (
            partition by kind, system, identifier, coalesce(valid_from, date '0001-01-01')
            order by delivered_at desc, delivery_id desc, row_number desc
        ) as age
    from delivered

),

by_source as (

    -- a row without a system holds for every log
    select latest.*, true as is_own, system as source_id
    from latest where age = 1 and begins < ends and system is not null
    union all
    select latest.*, false as is_own, sources.source_id
    from latest cross join sources where age = 1 and begins < ends and system is null

),

starts as (

    select source_id, kind, identifier, begins as starts_on from by_source
    union
    select source_id, kind, identifier, ends as starts_on from by_source

),

stretches as (

    select *, lead(starts_on) over (partition by source_id, kind, identifier order by starts_on) as ends_on
    from starts

),

ranked as (

    -- the log's own row goes before one for every log, then the row that began last
    select
        stretches.*, by_source.id, by_source.is_record,
        row_number() over (
            partition by stretches.source_id, stretches.kind, stretches.identifier, stretches.starts_on
            order by by_source.is_own desc, by_source.begins desc, by_source.id
        ) as place
    from stretches
    inner join by_source
        on stretches.source_id = by_source.source_id
        and stretches.kind = by_source.kind and stretches.identifier = by_source.identifier
        and stretches.starts_on >= by_source.begins and stretches.starts_on < by_source.ends
    where stretches.ends_on is not null

),

resolved as (

    select source_id, kind, identifier, id, is_record, starts_on as valid_from, ends_on as valid_to
    from ranked
    where place = 1

),

followed as (

    -- a list of record keys that the log's own system made names patients by that system's numbers
    select
        resolved.source_id, resolved.kind, resolved.identifier, coalesce(number.id, resolved.id) as id,
        greatest(resolved.valid_from, coalesce(number.valid_from, resolved.valid_from)) as valid_from,
        least(resolved.valid_to, coalesce(number.valid_to, resolved.valid_to)) as valid_to
    from resolved
    left join resolved as number
        on resolved.is_record and not number.is_record and number.kind = 'patient'
        and resolved.source_id = number.source_id and resolved.id = number.identifier
        and resolved.valid_from < number.valid_to and resolved.valid_to > number.valid_from

)

select * from followed
