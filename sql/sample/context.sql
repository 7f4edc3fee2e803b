with

picked as (

    select unnest($unit_keys) as unit_key

),

found as (

    select
        concat_ws('|', coalesce(employee_id, '-'), patient_id, cast(local_date as varchar)) as unit_key,
        recorded_at, employee_id, employee_name, patient_id, patient_name,
        activity_en, activity_sv, activity_nb,
        access_type_en, access_type_sv, access_type_nb,
        action, outcome, is_blocked, is_break_glass, is_confirmed, time_flag, source_id,
        event_id, item, cast(access_id as varchar) as access_id
    from accesses
    where recorded_at >= $start_at and recorded_at < $end_at and patient_id is not null

),

kept as (

    select found.*
    from found
    semi join picked on found.unit_key = picked.unit_key

)

select * from kept order by unit_key, recorded_at, source_id, event_id, item, access_id
