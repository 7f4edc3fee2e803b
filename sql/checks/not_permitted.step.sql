with

uses as (

    select distinct role, source_id, area, table_name, action, local_date
    from period_accesses
    where is_access and role is not null

),

not_permitted as (

    -- a role without a row is not assessed
    select uses.role, uses.source_id, uses.area, uses.table_name, uses.action, uses.local_date
    from uses
    inner join role_permissions as known
        on uses.role = known.role and uses.local_date >= known.valid_from and uses.local_date < known.valid_to
    group by uses.role, uses.source_id, uses.area, uses.table_name, uses.action, uses.local_date
    having not bool_or(
        (known.source_id is null or uses.source_id = known.source_id)
        and (known.area is null or coalesce(uses.area = known.area, false))
        and (known.table_name is null or coalesce(uses.table_name = known.table_name, false))
        and (known.action is null or uses.action = known.action)
    )

)

select * from not_permitted
