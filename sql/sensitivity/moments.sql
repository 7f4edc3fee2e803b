with

placed as (

    -- an access_id is a hash already: the first ones are a draw
    select
        employee_id, source_id, recorded_at,
        row_number() over (partition by employee_id order by access_id) as place
    from period_accesses
    where is_access and employee_id in (select employee_id from drawn_snoopers)

),

drawn as (

    select employee_id, source_id, recorded_at, place from placed where place <= $most

)

select * from drawn order by employee_id, place
