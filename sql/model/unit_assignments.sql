with

latest as (

    select
        *,
        coalesce(valid_from, date '0001-01-01') as begins,
        coalesce(valid_to, date '9999-12-31') as ends,
        row_number() over (
            partition by employee_id, unit_id, role, coalesce(valid_from, date '0001-01-01')
            order by delivered_at desc, delivery_id desc, row_number desc
        ) as age
    from lake.unit_assignments

),

cut as (

    -- an overlap ends where the next row begins, so that no join doubles a row
    select
        *,
        least(
            ends, coalesce(lead(begins) over (partition by employee_id, unit_id, role order by begins), ends)
        ) as cut_end
    from latest
    where age = 1 and begins < ends

),

dated as (

    select
        employee_id,
        unit_id,
        role,
        share_percent,
        begins as valid_from,
        cut_end as valid_to
    from cut

)

select * from dated
