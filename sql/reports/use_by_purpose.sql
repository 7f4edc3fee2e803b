with

people as (

    select
        user_name, purpose,
        count(distinct patient_id) as n_patients, count(distinct employee_id) as n_employees
    from use_asked
    group by user_name, purpose

),

purposes as (

    select
        user_name, purpose, case_number,
        count(*) filter (where use_kind in ('question', 'act')) as n_uses,
        cast(coalesce(sum(n_rows) filter (where use_kind <> 'other'), 0) as bigint) as n_rows,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from use_lines
    where not is_control and recorded_at >= $start_at and recorded_at < $end_at
    group by user_name, purpose, case_number

),

answer as (

    select
        purposes.case_number is not null as has_case, purposes.user_name, purposes.case_number, purposes.purpose,
        purposes.n_uses, purposes.n_rows,
        coalesce(people.n_patients, 0) as n_patients, coalesce(people.n_employees, 0) as n_employees,
        purposes.first_at, purposes.last_at
    from purposes
    left join people on purposes.user_name = people.user_name and purposes.purpose = people.purpose

)

select * from answer order by has_case, n_uses desc, user_name, purpose
