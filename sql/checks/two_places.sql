with

uses as (

    -- without a list of networks an address has to do for a place
    select
        presences.employee_id, presences.unit_id, presences.patient_id, presences.recorded_at, presences.source_id,
        presences.event_id, presences.item, presences.session_id, known.n_networks > 0 as is_by_networks,
        case when known.n_networks > 0 then presences.place else presences.network_address end as place
    from period_presences as presences
    inner join (select count(*) as n_networks from networks) as known on true
    where presences.is_use and presences.employee_id is not null

),

several as (
    select employee_id from uses group by employee_id having min(place) <> max(place)
),

changes as (

    select
        uses.*, case when place is distinct from lag(place) over person then 1 else 0 end as is_change
    from uses
    semi join several on uses.employee_id = several.employee_id
    where place is not null
    window person as (partition by uses.employee_id order by recorded_at, source_id, event_id, item)

),

numbered as (

    select
        *,
        sum(is_change) over (
            partition by employee_id order by recorded_at, source_id, event_id, item
            rows between unbounded preceding and current row
        ) as run
    from changes

),

runs as (

    select
        employee_id, run, place, is_by_networks, max(unit_id) as unit_id, min(recorded_at) as first_at,
        max(recorded_at) as last_at, min(session_id) as first_session, max(session_id) as last_session,
        count(*) as n_events
    from numbered
    group by employee_id, run, place, is_by_networks

),

between_others as (

    select
        *, lag(place) over person as other_place, lag(last_at) over person as left_at,
        lead(first_at) over person as next_at, lag(last_session) over person as other_session,
        lead(first_session) over person as next_session
    from runs
    window person as (partition by employee_id order by run)

),

people as (

    -- there, elsewhere and there again within minutes: nobody walks that fast
    select
        employee_id, is_by_networks, max(unit_id) as unit_id, min(left_at) as first_at, max(next_at) as last_at,
        cast(sum(n_events) as bigint) as n_events, count(*) as n_times,
        min(other_place || ' - ' || place) as places, min(date_diff('second', left_at, next_at)) as n_seconds
    from between_others
    where
        next_at <= left_at + $two_places_minutes * interval '1' minute
        and (is_by_networks or (other_session <> first_session and next_session <> last_session))
    group by employee_id, is_by_networks

),

findings as (

    select
        sha256(concat_ws('|', 'two_places', employee_id, cast($start_at as varchar), cast($end_at as varchar)))
            as finding_id,
        'two_places' as check_id, 'breach' as stream, employee_id, cast(null as varchar) as patient_id, unit_id,
        first_at, last_at, n_events, cast(n_times as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when is_by_networks then 'two_places' else 'two_addresses' end as reason_code,
        {'n_times': n_times, 'places': places, 'n_seconds': n_seconds, 'minutes': $two_places_minutes} as reason_values,
        case when not is_by_networks then 1 when n_times >= 3 then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people

)

select * from findings order by severity desc, measure desc, employee_id, finding_id
