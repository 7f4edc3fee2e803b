with

people as (

    select user_name, count(distinct patient_id) as n_patients, count(distinct employee_id) as n_employees
    from use_asked
    group by user_name

),

users as (

    select
        is_control, user_name,
        count(*) filter (where use_kind = 'opening') as n_openings,
        count(*) filter (where use_kind = 'question') as n_questions,
        count(*) filter (where use_kind = 'question' and n_rows is null) as n_unanswered,
        count(*) filter (where use_activity = 'sql') as n_own_sql,
        count(*) filter (
            where use_kind in ('question', 'act') and case_number is null and not is_control
        ) as n_without_case,
        count(*) filter (where use_kind = 'act') as n_acts,
        cast(coalesce(sum(n_rows) filter (where use_kind = 'question'), 0) as bigint) as n_rows,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from use_lines
    where recorded_at >= $start_at and recorded_at < $end_at
    group by is_control, user_name

),

answer as (

    select
        users.is_control, users.user_name, use_users.employee_id, home_units.unit_id,
        users.n_openings, users.n_questions, users.n_unanswered, users.n_own_sql, users.n_rows,
        case when users.is_control then 0 else coalesce(people.n_patients, 0) end as n_patients,
        case when users.is_control then 0 else coalesce(people.n_employees, 0) end as n_employees,
        users.n_without_case, users.n_acts, users.first_at, users.last_at
    from users
    left join use_users on users.user_name = use_users.user_name
    left join home_units
        on use_users.employee_id = home_units.employee_id
        and cast(users.last_at as date) >= home_units.valid_from and cast(users.last_at as date) < home_units.valid_to
    left join people on users.user_name = people.user_name

)

select * from answer order by is_control, n_questions desc, user_name
