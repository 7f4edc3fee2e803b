with

files as (

    -- a file reaches into the period by its events, or by the day on which it was taken in where none could be read
    select file_id, source_id, n_read from lake.intake_files
    where
        source_id not like 'reference:%'
        and coalesce(last_at, taken_in_at) >= $start_at and coalesce(first_at, taken_in_at) < $end_at

),

delivered as (

    select source_id, cast(sum(n_read) as bigint) as n_read from files group by source_id

),

refused as (

    select quarantine.source_id, quarantine.code, quarantine.column_name, count(*) as n_records
    from lake.quarantine as quarantine inner join files using (file_id, source_id)
    group by quarantine.source_id, quarantine.code, quarantine.column_name

),

shared as (

    -- a log without any such record stands here too: its zero is an answer
    select
        delivered.source_id, refused.code as reason, refused.column_name,
        coalesce(refused.n_records, 0) as n_records, delivered.n_read,
        cast(coalesce(refused.n_records, 0) as decimal(18, 8)) / greatest(delivered.n_read, 1) as share
    from delivered left join refused using (source_id)

),

rounded as (

    select source_id, reason, column_name, n_records, n_read, cast(share as decimal(9, 6)) as share from shared

)

select * from rounded order by source_id, n_records desc, reason, column_name
