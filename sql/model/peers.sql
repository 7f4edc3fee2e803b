with

active as (

    select
        cast(date_trunc('month', local_date) as date) as month,
        employee_id,
        role,
        unit_type,
        row_number() over (
            partition by date_trunc('month', local_date), employee_id
            order by max(local_date) desc, count(*) desc, role nulls last, unit_type nulls last
        ) as place
    from accesses
    where is_access and patient_id is not null and not is_patient_unresolved and employee_id is not null
    group by date_trunc('month', local_date), employee_id, role, unit_type

),

counted as (

    select
        month,
        employee_id,
        role,
        unit_type,
        count(*) over (partition by month, role, unit_type) as n_same_role_and_unit_type,
        count(*) over (partition by month, role) as n_same_role,
        count(*) over (partition by month) as n_all
    from active
    where place = 1

),

pooled as (

    -- fewer than 20 people say nothing about what is usual: take all of the role, then everybody
    select
        *,
        case
            when role is not null and unit_type is not null and n_same_role_and_unit_type >= 20
                then 'role_and_unit_type'
            when role is not null and n_same_role >= 20 then 'role'
            else 'all'
        end as peer_level
    from counted

),

grouped as (

    select
        month,
        employee_id,
        role,
        unit_type,
        peer_level,
        case peer_level
            when 'role_and_unit_type' then role || ' | ' || unit_type when 'role' then role else '*'
        end as peer_group,
        case peer_level
            when 'role_and_unit_type' then n_same_role_and_unit_type when 'role' then n_same_role else n_all
        end as n_people
    from pooled

)

select * from grouped
