with

booked as (

    select
        patient_id, employee_id, unit_id,
        starts_at - $appointment_days * interval '1' day as begins,
        starts_at + $appointment_days * interval '1' day as ends
    from appointments
    where coalesce(status, 'booked') <> 'cancelled'

),

met as (

    select access_id, 'appointment' as reason, 3 as strength
    from asked_accesses
    semi join booked
        on asked_accesses.patient_id = booked.patient_id
        and asked_accesses.employee_id = booked.employee_id
        and asked_accesses.recorded_at >= booked.begins
        and asked_accesses.recorded_at < booked.ends
    union all
    select access_id, 'appointment' as reason, 2 as strength
    from asked_accesses
    semi join booked
        on asked_accesses.patient_id = booked.patient_id
        and asked_accesses.unit_id = booked.unit_id
        and asked_accesses.recorded_at >= booked.begins
        and asked_accesses.recorded_at < booked.ends

)

select * from met
