with

people as (

    select employee_id, count(*) as n_events
    from medication_events
    where employee_id is not null and recorded_at >= $start_at and recorded_at < $end_at
    group by employee_id

)

select * from people order by employee_id
