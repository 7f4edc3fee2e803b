with

own as (

    select access_id, employee_id, coalesce(unit_id, '-') as unit_id, action
    from period_accesses
    semi join staff_as_patients as staff
        on period_accesses.employee_id = staff.employee_id and period_accesses.patient_id = staff.patient_id
        and period_accesses.local_date >= staff.valid_from and period_accesses.local_date < staff.valid_to
    where is_access and not is_patient_unresolved

),

counted as (

    select
        own.unit_id, count(*) as n_accesses,
        count(*) filter (where own.action in ('write', 'sign', 'countersign', 'delete')) as n_writings,
        count(distinct own.employee_id) as n_employees, count(explained_rows.access_id) as n_with_reason
    from own
    left join explained_rows on own.access_id = explained_rows.access_id
    group by own.unit_id

)

select * from counted order by n_accesses desc, unit_id
