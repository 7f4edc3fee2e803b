with

uses as (

    select
        presences.employee_id, presences.local_date, presences.unit_id, presences.recorded_at,
        case when known.n_networks > 0 then presences.place else presences.network_address end as place
    from period_presences as presences
    inner join (select count(*) as n_networks from networks) as known on true
    where presences.is_use and presences.employee_id is not null

),

days as (

    -- days at several places: most are a move from one house to the next
    select
        employee_id, local_date, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events
    from uses
    group by employee_id, local_date
    having min(place) <> max(place)

),

units_of_sampling as (

    select
        coalesce(unit_id, '-') as stratum, concat_ws('|', employee_id, cast(local_date as varchar)) as unit_key,
        employee_id, cast(null as varchar) as patient_id, local_date, unit_id, first_at, last_at, n_events
    from days

)

select * from units_of_sampling
