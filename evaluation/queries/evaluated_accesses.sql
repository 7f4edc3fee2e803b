with

firsts as (

    select employee_id, patient_id, min(recorded_at) as first_at
    from accesses
    where is_access and patient_id is not null
    group by employee_id, patient_id

),

judged as (

    select
        period_accesses.source_id, period_accesses.event_id, period_accesses.item, period_accesses.recorded_at,
        period_accesses.local_date, period_accesses.employee_id, period_accesses.role, period_accesses.unit_id,
        period_accesses.patient_id, period_accesses.care_unit_id, period_accesses.action,
        explained_accesses.access_id is not null as is_explained,
        coalesce(period_accesses.recorded_at = firsts.first_at, false) as is_first
    from period_accesses
    left join explained_accesses on period_accesses.access_id = explained_accesses.access_id
    left join firsts
        on period_accesses.employee_id = firsts.employee_id
        and period_accesses.patient_id = firsts.patient_id
    where
        period_accesses.is_access and period_accesses.employee_id is not null
        and period_accesses.patient_id is not null and not period_accesses.is_patient_unresolved
        and period_accesses.recorded_at >= $start_at and period_accesses.recorded_at < $end_at

)

select * from judged order by source_id, event_id, item
