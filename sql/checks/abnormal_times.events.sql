with

found as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        activity_en, activity_sv, activity_nb,
        access_type_en, access_type_sv, access_type_nb,
        action, outcome, is_blocked, is_break_glass, is_confirmed, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at and is_access
        and employee_id = $employee_id and patient_id is not null and not is_patient_unresolved

),

outside as (

    -- everything where no shift is known: which of these hours are rare stands in the counts
    select found.*
    from found
    anti join shifts
        on found.employee_id = shifts.employee_id
        and found.recorded_at >= shifts.starts_at - $abnormal_times_tolerance_minutes * interval '1' minute
        and found.recorded_at < shifts.ends_at + $abnormal_times_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') in ('planned', 'worked')

)

select * from outside order by recorded_at, source_id, event_id, item, access_id
