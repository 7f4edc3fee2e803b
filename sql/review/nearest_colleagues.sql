with

worked as (

    select employee_id, unit_id, starts_at, ends_at
    from shifts
    where
        unit_id is not null and kind in ('shift', 'overtime', 'on_call')
        and coalesce(status, 'planned') in ('planned', 'worked') and starts_at < $end_at and ends_at > $start_at

),

shared as (

    select own.employee_id as reviewer_id, other.employee_id, count(distinct own.starts_at) as n_shifts
    from worked as own
    inner join worked as other
        on own.unit_id = other.unit_id and own.starts_at < other.ends_at and own.ends_at > other.starts_at
        and own.employee_id <> other.employee_id
    where own.employee_id in (select unnest($reviewer_ids))
    group by own.employee_id, other.employee_id

),

ranked as (

    select *, rank() over (partition by reviewer_id order by n_shifts desc) as place from shared

),

final as (

    select reviewer_id, employee_id, n_shifts from ranked where place = 1

)

select * from final order by reviewer_id, employee_id
