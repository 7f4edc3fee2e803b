with

framed as (

    select
        stratum, cluster_key, unit_key, employee_id, patient_id, local_date, unit_id, role, unit_type, manager_id,
        reviewer_id, first_at, last_at, n_accesses, is_blocked
    from frame_rows

)

select * from framed order by stratum, unit_key, employee_id, patient_id
