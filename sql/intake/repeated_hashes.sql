-- Which occurrence of the very same record each is, for those without an id of their own that stand there twice or more.
select
    record_number,
    row_number() over (partition by record_hash order by record_number) as occurrence
from staged_keys
where
    event_id is null
    and record_hash in (select record_hash from staged_keys where event_id is null group by record_hash having count(*) > 1)
