with

times as (

    select
        access_id, employee_id, patient_id, coalesce(role, '') as role, unit_id,
        coalesce(unit_type, '') as unit_type, recorded_at, local_hour,
        case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved

),
planned as (
    select distinct employee_id from shifts where starts_at < $end_at and ends_at > $start_at
),
outside as (
    select times.*, 'outside_shift' as reason_code, cast(null as varchar) as peer_group
    from times
    semi join planned on times.employee_id = planned.employee_id
    anti join shifts
        on times.employee_id = shifts.employee_id
        and times.recorded_at >= shifts.starts_at - $abnormal_times_tolerance_minutes * interval '1' minute
        and times.recorded_at < shifts.ends_at + $abnormal_times_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') in ('planned', 'worked')
),
own as (
    select employee_id, role, unit_type, day_type, local_hour, count(*) as n_own
    from times group by employee_id, role, unit_type, day_type, local_hour
),
members as (
    -- each counts in its own group and in the wider ones that smaller groups are compared with
    select 1 as width, role || ' | ' || unit_type as peer_group, * from own where role <> '' and unit_type <> ''
    union all
    select 2 as width, role as peer_group, * from own where role <> ''
    union all
    select 3 as width, '*' as peer_group, * from own
),
shares as (
    -- the person is left out of the peers, so that a habit of one's own is not what is usual
    select
        members.*,
        sum(n_own) over (partition by width, peer_group, day_type, local_hour)
        - sum(n_own) over (partition by width, peer_group, day_type, local_hour, employee_id) as n_peers_then,
        sum(n_own) over (partition by width, peer_group)
        - sum(n_own) over (partition by width, peer_group, employee_id) as n_peers
    from members
),
sizes as (
    select width, peer_group, count(distinct employee_id) as n_people from members group by width, peer_group
),
chosen as (
    select
        shares.*,
        row_number() over (
            partition by employee_id, role, unit_type, day_type, local_hour order by shares.width
        ) as choice
    from shares
    inner join sizes on shares.width = sizes.width and shares.peer_group = sizes.peer_group
    where sizes.n_people >= 20
),
abnormal as (
    select * from outside
    union all
    select times.*, 'rare_hour' as reason_code, chosen.peer_group
    from times
    inner join chosen
        on times.employee_id = chosen.employee_id and times.role = chosen.role
        and times.unit_type = chosen.unit_type and times.day_type = chosen.day_type
        and times.local_hour = chosen.local_hour
    anti join planned on times.employee_id = planned.employee_id
    where chosen.choice = 1 and chosen.n_peers > 0 and chosen.n_peers_then < $rare_hour_share * chosen.n_peers
),
people as (
    select
        abnormal.employee_id, reason_code, max(abnormal.unit_id) as unit_id, max(peer_group) as peer_group,
        min(abnormal.recorded_at) as first_at, max(abnormal.recorded_at) as last_at, count(*) as n_events,
        count(distinct abnormal.patient_id) as n_patients, count(unexplained_accesses.access_id) as n_unexplained
    from abnormal left join unexplained_accesses on abnormal.access_id = unexplained_accesses.access_id
    group by abnormal.employee_id, reason_code having count(*) >= $abnormal_times_minimum
),
findings as (
    select
        sha256(concat_ws('|', 'abnormal_times', employee_id, cast($start_at as varchar), cast($end_at as varchar)))
            as finding_id,
        'abnormal_times' as check_id, 'anomaly' as stream, employee_id, cast(null as varchar) as patient_id, unit_id,
        first_at, last_at, n_events, cast(n_unexplained as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability, peer_group,
        reason_code,
        {
            'n_accesses': n_events, 'n_patients': n_patients, 'n_unexplained': n_unexplained,
            'tolerance_minutes': $abnormal_times_tolerance_minutes
        } as reason_values,
        case when n_unexplained >= $abnormal_times_minimum then 3 when n_unexplained > 0 then 2 else 1 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people
)
select * from findings order by measure desc, n_events desc, employee_id
