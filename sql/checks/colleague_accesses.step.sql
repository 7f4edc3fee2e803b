with

seen as (

    select
        period_accesses.access_id, period_accesses.employee_id, period_accesses.patient_id, period_accesses.unit_id,
        period_accesses.recorded_at, period_accesses.local_date,
        coalesce(bool_or(period_accesses.unit_id = home_units.unit_id), false) as is_same_unit
    from period_accesses
    inner join staff_as_patients as staff
        on period_accesses.patient_id = staff.patient_id
        and period_accesses.local_date >= staff.valid_from and period_accesses.local_date < staff.valid_to
    left join home_units
        on staff.employee_id = home_units.employee_id
        and period_accesses.local_date >= home_units.valid_from
        and period_accesses.local_date < home_units.valid_to
    where period_accesses.is_access and not period_accesses.is_patient_unresolved
    group by
        period_accesses.access_id, period_accesses.employee_id, period_accesses.patient_id, period_accesses.unit_id,
        period_accesses.recorded_at, period_accesses.local_date
    -- one's own record is a check of its own
    having not coalesce(bool_or(period_accesses.employee_id = staff.employee_id), false)

)

select * from seen
