with

answer as (

    select
        use_lines.recorded_at, use_lines.user_name, use_users.employee_id as user_employee_id, use_lines.use_activity,
        use_lines.purpose, use_lines.case_number, use_lines.n_rows, use_lines.sequence
    from use_lines
    left join use_users on use_lines.user_name = use_users.user_name
    where use_lines.use_kind = 'act'
        and use_lines.recorded_at >= $start_at and use_lines.recorded_at < $end_at

)

select * from answer order by recorded_at, sequence
