with

combined as (

    -- few combinations stand in many rows
    select
        source_id, log_type, table_name, message_type, recorded_at >= $start_at as is_in_period,
        count(*) as n_rows, min(recorded_at) as first_at, max(recorded_at) as last_at
    from stored_accesses
    where recorded_at < $end_at
    group by all

),

written as (

    select
        source_id, is_in_period, n_rows, first_at, last_at, field,
        case field when 'log_type' then log_type when 'table_name' then table_name else message_type end as code
    from combined cross join (values ('log_type'), ('table_name'), ('message_type')) as fields (field)
    union all
    select source_id, recorded_at >= $start_at, count(*), min(recorded_at), max(recorded_at), 'kind', kind
    from lake.authentications
    where recorded_at < $end_at
    group by 1, 2, 7
    union all
    select source_id, recorded_at >= $start_at, count(*), min(recorded_at), max(recorded_at), 'kind', kind
    from lake.medication_events
    where recorded_at < $end_at
    group by 1, 2, 7

),

summed as (

    select
        source_id, field, code,
        cast(coalesce(sum(n_rows) filter (where is_in_period), 0) as bigint) as n_rows,
        count(*) filter (where not is_in_period) = 0 as is_unseen,
        min(first_at) filter (where is_in_period) as first_at, max(last_at) filter (where is_in_period) as last_at
    from written
    where code is not null
    group by source_id, field, code

),

judged as (

    -- of a log without earlier rows nothing can be called new
    select
        summed.source_id, summed.field, summed.code, summed.n_rows, summed.first_at, summed.last_at,
        summed.is_unseen and summed.source_id in (select source_id from written where not is_in_period) as is_new,
        codes.code is not null or summed.field = 'kind' as is_known,
        coalesce(codes.is_confirmed, summed.field = 'kind') as is_confirmed
    from summed left join codes using (source_id, field, code)
    where summed.n_rows > 0

),

listed as (

    select source_id, field, code, n_rows, first_at, last_at, is_new, is_known, is_confirmed
    from judged
    where is_new or not is_known

)

select * from listed order by source_id, field, code
