-- Staged reference data with its times in UTC. A skipped or repeated hour has the offset before the change, as in the logs;
-- where that would set an end before its beginning, the end keeps its distance on the clock.
select
    staged_reference.* replace (
        starts_at - to_seconds(beginning.offset_seconds) as starts_at,
        greatest(
            ends_at - to_seconds(ending.offset_seconds),
            case
                when ends_at - to_seconds(ending.offset_seconds) <= starts_at - to_seconds(beginning.offset_seconds)
                    then ends_at - to_seconds(beginning.offset_seconds)
            end
        ) as ends_at
    )
from staged_reference
left join zone_offsets as beginning
    on staged_reference.starts_at >= beginning.local_from and staged_reference.starts_at < beginning.local_to
left join zone_offsets as ending
    on staged_reference.ends_at >= ending.local_from and staged_reference.ends_at < ending.local_to
