with

several as (

    -- most employees have one unit for good: only the others are cut and ranked
    select employee_id
    from unit_assignments
    group by employee_id
    having count(*) > 1

),

starts as (

    select employee_id, valid_from as begins from unit_assignments semi join several using (employee_id)
    union
    select employee_id, valid_to as begins from unit_assignments semi join several using (employee_id)

),

stretches as (

    -- between two neighbouring dates nothing changes for the employee
    select
        employee_id,
        begins,
        lead(begins) over (partition by employee_id order by begins) as ends
    from starts

),

ranked as (

    select
        stretches.employee_id,
        stretches.begins,
        stretches.ends,
        unit_assignments.unit_id,
        unit_assignments.role,
        row_number() over (
            partition by stretches.employee_id, stretches.begins
            order by
                unit_assignments.share_percent desc nulls last,
                unit_assignments.valid_from desc,
                unit_assignments.unit_id,
                unit_assignments.role nulls last
        ) as place
    from stretches
    inner join unit_assignments
        on stretches.employee_id = unit_assignments.employee_id
        and stretches.begins >= unit_assignments.valid_from
        and stretches.begins < unit_assignments.valid_to
    where stretches.ends is not null

),

homes as (

    select
        unit_assignments.employee_id,
        unit_assignments.unit_id,
        unit_assignments.role,
        unit_assignments.valid_from,
        unit_assignments.valid_to
    from unit_assignments
    anti join several on unit_assignments.employee_id = several.employee_id
    union all
    select
        ranked.employee_id,
        ranked.unit_id,
        ranked.role,
        ranked.begins as valid_from,
        ranked.ends as valid_to
    from ranked
    where ranked.place = 1

)

select * from homes
