-- Each readable record of the file once, with its identity and what the store already knows of it.
with staged as (
    select record_number, line_number, event_id, record_hash from staged_accesses where item = 0
    union all
    select record_number, line_number, event_id, record_hash from staged_authentications
    union all
    select record_number, line_number, event_id, record_hash from staged_medication_events
),

readable as (
    select * from staged anti join refused using (record_number)
),

identified as (
    select record_number, line_number, record_hash, event_id from readable where event_id is not null
    union all
    select
        record_number,
        line_number,
        record_hash,
        record_hash || ':' || row_number() over (partition by record_hash order by record_number) as event_id
    from readable
    where event_id is null
),

known as (
    select event_id, record_hash from lake.accesses_by_patient where source_id = $source_id and item = 0
    union all
    select event_id, record_hash from lake.authentications where source_id = $source_id
    union all
    select event_id, record_hash from lake.medication_events where source_id = $source_id
),

compared as (
    select
        identified.*,
        first_value(identified.record_hash) over by_event as first_hash,
        row_number() over by_event as occurrence,
        known.record_hash as known_hash
    from identified
    left join known on identified.event_id = known.event_id
    window by_event as (partition by identified.event_id order by identified.record_number)
)

select
    record_number,
    line_number,
    event_id,
    record_hash,
    case
        when coalesce(known_hash, first_hash) <> record_hash then 'conflict'
        when known_hash is not null or occurrence > 1 then 'known'
        else 'new'
    end as status
from compared
