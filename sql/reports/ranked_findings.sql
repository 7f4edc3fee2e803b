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
        and dated.local_date >= employees.valid_from
        and dated.local_date < employees.valid_to
    left join units
        on dated.unit_id = units.unit_id
        and dated.local_date >= units.valid_from
        and dated.local_date < units.valid_to

),

assigned as (

    -- nobody reviews themselves: where the only manager known is the person asked about, it is nobody's yet
    select
        *,
        coalesce(
            case when own_manager_id <> employee_id then own_manager_id end,
            case when unit_manager_id is distinct from employee_id then unit_manager_id end,
            '-'
        ) as reviewer_id,
        count(*) over (partition by employee_id, patient_id) as n_findings_of_pair,
        count(*) over (partition by employee_id) as n_findings_of_employee
    from managed

),

ranked as (

    select
        *,
        row_number() over (
            partition by reviewer_id
            order by
                case when stream = 'targeted' then 1 else 0 end,
                case when explanation_found is null then 0 else 1 end,
                severity desc, n_findings_of_pair desc, tail_probability nulls last,
                n_findings_of_employee desc, n_events desc, check_id, finding_id
        ) as place
    from assigned

),

findings as (

    select
        reviewer_id, cast(place as bigint) as place, place <= $findings_per_manager as is_within_budget,
        check_id, stream, employee_id, patient_id, unit_id, first_at, last_at, n_events, severity,
        explanation_found is not null as has_reason, cast(n_findings_of_pair as bigint) as n_findings_of_pair,
        finding_id
    from ranked

)

select * from findings order by reviewer_id, place
