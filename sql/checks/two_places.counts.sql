with

judged as (

    select
        case
            when network_address is null then 'no_address'
            when place is not null then 'known_place'
            when network_kind is not null then 'somewhere'
            else 'unknown_address'
        end as whereabouts,
        employee_id
    from period_presences
    where is_use

),

counted as (

    select
        whereabouts, count(*) as n_rows, count(distinct employee_id) as n_people,
        cast(round(cast(count(*) as decimal(18, 6)) / sum(count(*)) over (), 6) as decimal(9, 6)) as share
    from judged
    group by whereabouts

)

select * from counted order by n_rows desc, whereabouts
