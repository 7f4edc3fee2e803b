with

times as (

    select
        access_id, employee_id, coalesce(role, '') as role, coalesce(unit_type, '') as unit_type, recorded_at,
        local_hour,
        case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved

),

asked as (

    select * from times where employee_id = $employee_id

),

peers as (

    -- the narrowest group of 20 people that each of the employee's accesses belongs to, without the employee
    select asked.role, asked.unit_type, width, times.day_type, times.local_hour, times.employee_id
    from (select distinct role, unit_type from asked) as asked
    cross join (values (1), (2), (3)) as widths (width)
    inner join times
        on (width = 3 or (asked.role = times.role and asked.role <> ''))
        and (width > 1 or (asked.unit_type = times.unit_type and asked.unit_type <> ''))

),

sizes as (

    select role, unit_type, width, count(*) filter (where employee_id <> $employee_id) as n_peers
    from peers
    group by role, unit_type, width
    having count(distinct employee_id) >= 20

),

narrowest as (

    select role, unit_type, min(width) as width, min_by(n_peers, width) as n_peers from sizes group by role, unit_type

),

usual as (

    select role, unit_type, width, day_type, local_hour, count(*) filter (where employee_id <> $employee_id) as n_then
    from peers
    group by role, unit_type, width, day_type, local_hour

),

abnormal as (

    select asked.access_id
    from asked
    anti join shifts
        on asked.employee_id = shifts.employee_id
        and asked.recorded_at >= shifts.starts_at - $abnormal_times_tolerance_minutes * interval '1' minute
        and asked.recorded_at < shifts.ends_at + $abnormal_times_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') in ('planned', 'worked')
    left join narrowest using (role, unit_type)
    left join usual using (role, unit_type, width, day_type, local_hour)
    where
        exists (select 1 from shifts where employee_id = $employee_id and starts_at < $end_at and ends_at > $start_at)
        or ($rare_hour_share * n_peers >= 3 and coalesce(n_then, 0) < $rare_hour_share * n_peers)

),

found as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        activity_en, activity_sv, activity_nb,
        access_type_en, access_type_sv, access_type_nb,
        action, outcome, is_blocked, is_break_glass, is_confirmed, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    semi join abnormal using (access_id)
    semi join unexplained_accesses using (access_id)
    where recorded_at >= $start_at and recorded_at < $end_at and employee_id = $employee_id

)

select * from found order by recorded_at, source_id, event_id, item, access_id
