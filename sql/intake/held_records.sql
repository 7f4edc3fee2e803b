-- The file's records whose id is held already, by the store or by an earlier record of the file, and what becomes of
-- them. TEMP relations made for the file: `keys` (record_number, line_number, event_id), `held_ids`, `new_content`
-- (record_number, content) and `held` (event_id, content, is_same_mapping); content is a list of texts.
with asked as (
    select
        record_number,
        line_number,
        event_id,
        min(record_number) over (partition by event_id) as first_number
    from keys
    where event_id in (select event_id from held_ids)
),

compared as (
    select
        asked.*,
        held.event_id is not null as is_held,
        coalesce(held.is_same_mapping, true) as is_same_mapping,
        coalesce(held.content, first_content.content) as old_content,
        new_content.content as new_content
    from asked
    inner join new_content on asked.record_number = new_content.record_number
    inner join new_content as first_content on asked.first_number = first_content.record_number
    left join held on asked.event_id = held.event_id
)

select
    record_number,
    line_number,
    case
        when is_same_mapping and old_content is distinct from new_content then 'conflict'
        -- a mapping that was changed since may fill another column: only what both hold can contradict
        when len(list_filter(list_zip(old_content, new_content), lambda pair: pair[1] <> pair[2])) > 0 then 'conflict'
        when is_held or record_number <> first_number then 'known'
        else 'new'
    end as status
from compared
