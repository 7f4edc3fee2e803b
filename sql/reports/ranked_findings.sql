with

dated as (

    -- who was whose manager on the finding's last day of the period
    select
        * exclude (local_date),
        least(
            greatest(local_date, cast($start_at as date)), cast($end_at - interval '12' hour as date)
        ) as local_date
    from month_findings

),

managed as (

    select
        dated.*,
        employees.manager_id as own_manager_id,
        units.manager_id as unit_manager_id
    from dated
    left join employees
        on dated.employee_id = employees.employee_id
        and dated.local_date >= employees.valid_from and dated.local_date < employees.valid_to
    left join units
        on dated.unit_id = units.unit_id
        and dated.local_date >= units.valid_from and dated.local_date < units.valid_to

),

assigned as (

    -- nobody reviews themselves: where the only manager known is the person asked about, it is nobody's yet
    select
        *,
        coalesce(
            case when own_manager_id <> employee_id then own_manager_id end,
            case when unit_manager_id is distinct from employee_id then unit_manager_id end,
            '-'
        ) as reviewer_id
    from managed

),

reviews as (

    -- what is looked at together: an employee and a patient, or what concerns no single patient
    select
        *,
        count(*) over pair as n_findings_of_pair, max(severity) over pair as worst,
        min(case when stream = 'targeted' then 1 else 0 end) over pair as is_correction,
        min(case when explanation_found is null then 0 else 1 end) over pair as is_explained,
        min(tail_probability) over pair as least_likely, max(n_events) over pair as most_events
    from assigned
    window pair as (partition by reviewer_id, employee_id, patient_id)

),

turns as (

    -- one person's many patients must not crowd out the next person: everybody's gravest comes first
    select
        *,
        dense_rank() over (
            partition by reviewer_id, is_correction, is_explained, employee_id
            order by
                worst desc, n_findings_of_pair desc, least_likely nulls last, most_events desc, patient_id nulls first
        ) as turn
    from reviews

),

ordered as (

    select
        *,
        dense_rank() over (
            partition by reviewer_id
            order by
                is_correction, is_explained, turn, worst desc, n_findings_of_pair desc, least_likely nulls last,
                most_events desc, employee_id, patient_id
        ) as review
    from turns

),

findings as (

    select
        reviewer_id,
        row_number() over (partition by reviewer_id order by review, severity desc, check_id, finding_id) as place,
        review, review <= $findings_per_manager as is_within_budget,
        check_id, stream, employee_id, patient_id, unit_id, first_at, last_at, n_events, severity,
        explanation_found is not null as has_reason, n_findings_of_pair, finding_id
    from ordered

)

select * from findings order by reviewer_id, place
