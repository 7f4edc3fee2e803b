with

managed as (

    -- as in the ranked findings: nobody reviews themselves
    select
        frame_days.*,
        coalesce(employees.manager_id, units.manager_id, '-') as manager_id,
        coalesce(
            case when employees.manager_id <> frame_days.employee_id then employees.manager_id end,
            case when units.manager_id is distinct from frame_days.employee_id then units.manager_id end,
            '-'
        ) as reviewer_id
    from frame_days
    left join employees
        on frame_days.employee_id = employees.employee_id
        and frame_days.local_date >= employees.valid_from
        and frame_days.local_date < employees.valid_to
    left join units
        on frame_days.unit_id = units.unit_id
        and frame_days.local_date >= units.valid_from
        and frame_days.local_date < units.valid_to

),

stratified as (

    -- a stratum never has two managers where the staff of each must give a number of days
    select
        case
            when $sample_plan in ('two_stages', 'employees') then '-'
            when $sample_plan = 'unit_days' then coalesce(unit_id, '-')
            else coalesce(nullif(concat_ws('|',
                case when regexp_matches($sample_strata, '\bunit_id\b') then coalesce(unit_id, '-') end,
                case when regexp_matches($sample_strata, '\bunit_type\b') then coalesce(unit_type, '-') end,
                case when regexp_matches($sample_strata, '\brole\b') then coalesce(role, '-') end,
                case when $minimum_per_manager > 0 then manager_id end
            ), ''), '-')
        end as stratum,
        *
    from managed

),

frame as (

    -- what is drawn is a cluster; anyone can write its key and repeat the draw with sha256sum
    select
        stratum,
        case
            when $sample_plan = 'unit_days' then concat_ws('|', stratum, cast(local_date as varchar))
            when $sample_plan = 'employees' then coalesce(employee_id, '-')
            else unit_key
        end as cluster_key,
        unit_key, employee_id, patient_id, local_date, unit_id, role, unit_type, manager_id, reviewer_id,
        first_at, last_at, n_accesses, is_blocked
    from stratified

)

select * from frame
