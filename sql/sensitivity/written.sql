with

written as (

    select event_id, resolved_employee_id, resolved_patient_id, is_patient_unresolved
    from resolved_accesses
    where recorded_at >= $start_at and recorded_at < $end_at and file_id = $file_id

)

select * from written order by event_id
