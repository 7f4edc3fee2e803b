with

found as (

    select
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        activity_en, activity_sv, activity_nb,
        access_type_en, access_type_sv, access_type_nb,
        action, outcome, is_blocked, is_break_glass, is_confirmed, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    semi join abnormal_hours using (access_id)
    where recorded_at >= $start_at and recorded_at < $end_at and employee_id = $employee_id

)

select * from found order by recorded_at, source_id, event_id, item, access_id
