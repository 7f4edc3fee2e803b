with

zones as (

    select source_id, time_zone from sources

)

select * from zones order by source_id
