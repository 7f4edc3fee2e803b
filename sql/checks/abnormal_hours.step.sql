with

times as (

    select
        access_id, employee_id, patient_id, coalesce(role, '') as role, coalesce(unit_type, '') as unit_type,
        recorded_at, local_date, local_hour, case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved

),

planned as (

    select distinct employee_id from shifts where starts_at < $end_at and ends_at > $start_at

),

notes as (

    select employee_id, recorded_at from period_accesses
    where is_access and action in ('write', 'sign', 'countersign') and employee_id is not null
    union
    select employee_id, recorded_at from medication_events where kind in ('administration', 'waste', 'return')

),

at_work as (

    -- who writes, signs or gives medicine was at work around then, whatever the roster says
    select
        greatest(recorded_at - $at_work_hours * interval '1' hour + interval '1' microsecond, $start_at) as begins,
        least(recorded_at + $at_work_hours * interval '1' hour, $end_at) as ends, employee_id
    from notes
    where recorded_at > $start_at - $at_work_hours * interval '1' hour
    union all
    select
        greatest(starts_at - $abnormal_times_tolerance_minutes * interval '1' minute, $start_at) as begins,
        least(ends_at + $abnormal_times_tolerance_minutes * interval '1' minute, $end_at) as ends, employee_id
    from shifts where coalesce(status, 'planned') in ('planned', 'worked')

),

by_day as (

    -- a row is compared with the hours of its own day alone
    select *, unnest(range(date_diff('day', begins, ends) + 1)) as place from at_work

),

outside as (

    select times.*
    from times
    semi join planned on times.employee_id = planned.employee_id
    anti join by_day
        on times.employee_id = by_day.employee_id
        and cast(times.recorded_at as date) = cast(by_day.begins as date) + cast(by_day.place as integer)
        and times.recorded_at >= by_day.begins and times.recorded_at < by_day.ends

),

abnormal as (

    select 'outside_shift' as reason_code, outside.access_id
    from outside
    semi join unexplained_accesses on outside.access_id = unexplained_accesses.access_id
    union all
    -- free by a roster that is known before and after: on one side alone the next week's may be missing
    select 'undocumented_outside_shift' as reason_code, outside.access_id
    from outside
    semi join shifts as earlier
        on outside.employee_id = earlier.employee_id and outside.recorded_at >= earlier.starts_at
        and outside.recorded_at < earlier.ends_at + $roster_known_days * interval '1' day
    semi join shifts as later
        on outside.employee_id = later.employee_id and outside.recorded_at < later.starts_at
        and outside.recorded_at >= later.starts_at - $roster_known_days * interval '1' day
    union all
    select 'rare_hour' as reason_code, times.access_id
    from times
    semi join unexplained_accesses on times.access_id = unexplained_accesses.access_id
    semi join rare_hours using (employee_id, role, unit_type, day_type, local_hour)
    anti join planned on times.employee_id = planned.employee_id

),

found as (

    select
        abnormal.reason_code, times.access_id, times.employee_id, times.patient_id, times.recorded_at,
        -- a night is one day, the one that it begins on
        times.local_date - case when times.local_hour < 6 then 1 else 0 end as local_date
    from abnormal
    inner join times on abnormal.access_id = times.access_id

)

select * from found
