with

times as (
    select
        access_id, employee_id, patient_id, coalesce(role, '') as role, unit_id, coalesce(unit_type, '') as unit_type,
        recorded_at, local_date, local_hour,
        case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved
),
planned as (
    select distinct employee_id from shifts where starts_at < $end_at and ends_at > $start_at
),
own as (
    select employee_id, role, unit_type, day_type, local_hour, count(*) as n_own
    from times group by employee_id, role, unit_type, day_type, local_hour
),
members as (
    -- each counts in its own group and in the wider ones that smaller groups are compared with
    select 1 as width, role || ' | ' || unit_type as peers, * from own where role <> '' and unit_type <> ''
    union all
    select 2 as width, role as peers, * from own where role <> ''
    union all
    select 3 as width, '*' as peers, * from own
),
shares as (
    -- the person is left out of the peers, so that a habit of one's own is not what is usual
    select
        members.*,
        sum(n_own) over (partition by width, peers, day_type, local_hour)
        - sum(n_own) over (partition by width, peers, day_type, local_hour, employee_id) as n_then,
        sum(n_own) over (partition by width, peers)
        - sum(n_own) over (partition by width, peers, employee_id) as n_peers
    from members
),
sizes as (
    select width, peers, count(distinct employee_id) as n_people from members group by width, peers
),
hours as (
    select
        shares.*,
        row_number() over (
            partition by employee_id, role, unit_type, day_type, local_hour order by shares.width
        ) as choice
    from shares
    inner join sizes on shares.width = sizes.width and shares.peers = sizes.peers
    where sizes.n_people >= 20
),
abnormal as (
    select times.*
    from times semi join unexplained_accesses using (access_id) semi join planned using (employee_id)
    anti join shifts
        on times.employee_id = shifts.employee_id
        and times.recorded_at >= shifts.starts_at - $abnormal_times_tolerance_minutes * interval '1' minute
        and times.recorded_at < shifts.ends_at + $abnormal_times_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') in ('planned', 'worked')
    union all
    -- three expected at the limit: where none came, the true share is below it with a confidence of 95 %
    select times.*
    from times semi join unexplained_accesses using (access_id)
    inner join hours using (employee_id, role, unit_type, day_type, local_hour)
    anti join planned on times.employee_id = planned.employee_id
    where choice = 1 and $rare_hour_share * n_peers >= 3 and n_then < $rare_hour_share * n_peers
),
counted as (
    select
        employee_id, min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events,
        count(distinct patient_id) as n_patients, count(distinct local_date) as n_days,
        count(distinct date_trunc('hour', recorded_at)) as n_hours
    from abnormal group by employee_id
),
people as (
    select
        employee_id, max(unit_id) as unit_id, nullif(max(role), '') as role, nullif(max(unit_type), '') as unit_type,
        case when employee_id in (select employee_id from planned) then 'outside_shift' else 'rare_hour' end
            as reason_code
    from times group by employee_id
),
findings as (
    select
        sha256(concat_ws('|', 'abnormal_times', employee_id, cast($start_at as varchar), cast($end_at as varchar)))
            as finding_id,
        'abnormal_times' as check_id, 'anomaly' as stream, employee_id, cast(null as varchar) as patient_id, unit_id,
        first_at, last_at, coalesce(n_events, 0) as n_events, cast(coalesce(n_hours, 0) as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, reason_code,
        {
            'n_accesses': n_events, 'n_patients': n_patients, 'n_days': n_days, 'n_hours': n_hours,
            'role': role, 'unit_type': unit_type, 'tolerance_minutes': $abnormal_times_tolerance_minutes,
            'least': cast($abnormal_times_minimum as bigint), 'least_possible': cast(0 as bigint),
            'n_people': cast(null as bigint), 'n_compared': cast(null as bigint), 'percent_fewer': cast(null as bigint)
        } as reason_values,
        case when n_days >= 3 then 3 else 2 end as severity, cast(null as varchar) as explanation_found,
        cast(null as varchar[]) as explanations_absent, cast(null as varchar[]) as explanations_not_searchable
    from people left join counted using (employee_id)
)
select * from findings order by measure desc, employee_id
