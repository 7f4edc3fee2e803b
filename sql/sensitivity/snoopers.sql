with

tied as (

    select distinct employee_id from drawn_persons where employee_id is not null

),

active as (

    select
        employee_id, max(unit_id) as unit_id, count(distinct local_date) as n_days,
        sha256($seed || '|' || employee_id) as draw_hash
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null
    group by employee_id

),

placed as (

    -- those with relatives or a record of their own among the patients are drawn apart, so that there are some
    select
        active.employee_id, active.unit_id, active.draw_hash,
        row_number() over (
            partition by tied.employee_id is not null order by active.draw_hash, active.employee_id
        ) as place
    from active
    left join tied on active.employee_id = tied.employee_id
    where active.n_days >= 5

),

drawn as (

    select employee_id, unit_id, draw_hash from placed where place <= $most

)

select * from drawn order by draw_hash, employee_id
