with

answer as (

    select
        user_name, user_employee_id, employee_id, patient_id,
        count(distinct sequence) as n_questions,
        cast(coalesce(sum(n_rows), 0) as bigint) as n_rows,
        count(distinct sequence) filter (where case_number is null) as n_without_case,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from use_asked
    group by user_name, user_employee_id, employee_id, patient_id

)

select * from answer order by n_questions desc, user_name, employee_id nulls last, patient_id nulls last
