select source_id, time_zone from sources order by source_id
