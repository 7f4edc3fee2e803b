with

active as (

    select
        employee_id, max(unit_id) as unit_id, count(distinct local_date) as n_days,
        employee_id in (select employee_id from drawn_persons where employee_id is not null) as is_tied
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null
    group by employee_id

),

placed as (

    -- those with relatives or a record of their own among the patients are drawn apart, so that there are some
    select
        employee_id, unit_id,
        row_number() over (
            partition by is_tied order by sha256($seed || '|' || employee_id), employee_id
        ) as place
    from active
    where n_days >= 5

)

select employee_id, unit_id
from placed
where place <= $most
order by sha256($seed || '|' || employee_id), employee_id
