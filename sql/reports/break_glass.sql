with

seen as (

    select
        recorded_at, local_date, employee_id, employee_name, role, unit_id, patient_id, patient_name,
        action, is_access, is_break_glass, purpose, is_blocked
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at + $follow_hours * interval '1' hour
        and ($patient_id is null or patient_id = $patient_id)
        and ($patient_id is null or patient_identifier in (
            select prefix || $patient_id from identifier_prefixes
            union all
            select identifier from patient_identifiers where patient_id = $patient_id
        ))
        and ($employee_id is null or employee_id = $employee_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))

),

uses as (

    -- the rows of one day about one patient are one use
    select
        employee_id, patient_id, local_date,
        max(employee_name) as employee_name, max(role) as role, max(unit_id) as unit_id,
        max(patient_name) as patient_name, min(recorded_at) as recorded_at,
        count(*) as n_break_glass, max(purpose) as purpose, bool_or(is_blocked) as is_blocked
    from seen
    where is_break_glass and recorded_at < $end_at
    group by employee_id, patient_id, local_date

),

followed as (

    select
        uses.recorded_at, uses.employee_id, uses.employee_name, uses.role, uses.unit_id,
        uses.patient_id, uses.patient_name, uses.purpose, uses.n_break_glass,
        count(later.recorded_at) as n_followed,
        count(later.recorded_at) filter (where later.action in ('write', 'sign', 'countersign')) as n_written,
        count(later.recorded_at) filter (where later.action in ('print', 'export')) as n_printed,
        max(later.recorded_at) as last_at, uses.is_blocked
    from uses
    left join seen as later
        on uses.employee_id = later.employee_id and uses.patient_id = later.patient_id
        and later.is_access and later.recorded_at >= uses.recorded_at
        and later.recorded_at < uses.recorded_at + $follow_hours * interval '1' hour
    group by
        uses.recorded_at, uses.employee_id, uses.employee_name, uses.role, uses.unit_id,
        uses.patient_id, uses.patient_name, uses.purpose, uses.n_break_glass, uses.is_blocked

)

select * from followed order by recorded_at, employee_id nulls last, patient_id nulls last
