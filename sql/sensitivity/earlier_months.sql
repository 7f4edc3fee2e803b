with

counted as (

    select distinct month
    from lake.unexplained_days
    where
        month < cast($start_at + interval '12' hour as date)
        and month >= cast($start_at + interval '12' hour as date) - interval '5' month

)

select * from counted order by month
