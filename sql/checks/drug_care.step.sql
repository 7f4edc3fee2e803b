with

handled as (

    select row_id, employee_id, patient_id, unit_id, role, drug, prescription_ref, recorded_at, local_date
    from drug_rows
    where is_in_period and kind in ('withdrawal', 'administration')

),

deaths as (

    -- a death whose day is not known forbids no day
    select patient_id, valid_from as died_on from patient_flags
    where flag = 'deceased' and valid_from > date '1900-01-01'
    union all
    select patient_id, cast(ends_at as date) as died_on from stays where end_reason = 'deceased'

),

after_death as (

    select handled.row_id
    from handled
    semi join deaths on handled.patient_id = deaths.patient_id and handled.local_date > deaths.died_on

),

after_stay as (

    -- stays begun by then, none of which still runs
    select handled.row_id
    from handled
    inner join stays on handled.patient_id = stays.patient_id and stays.starts_at <= handled.recorded_at
    group by handled.row_id, handled.recorded_at
    having max(stays.ends_at) + $drug_after_stay_hours * interval '1' hour < handled.recorded_at

),

licensed as (

    select role from drug_rows
    where strpos('|' || lower($licensed_drug_roles) || '|', '|' || lower(trim(role)) || '|') > 0
    group by role

),

undelegated as (

    -- a role that is not known is not judged
    select handled.row_id
    from handled
    anti join licensed on handled.role = licensed.role
    anti join delegations
        on handled.employee_id = delegations.employee_id
        and delegations.task in ('give_medicine', 'controlled_drugs')
        and handled.local_date >= delegations.valid_from and handled.local_date < delegations.valid_to
        and (delegations.unit_id is null or delegations.unit_id = handled.unit_id)
        and (delegations.patient_id is null or delegations.patient_id = handled.patient_id)
        and (delegations.drug_code is null or strpos(handled.drug, delegations.drug_code) = 1)
    where handled.role is not null and exists (select 1 from delegations)

),

elsewhere as (

    select handled.row_id
    from handled
    semi join unit_assignments as known on handled.employee_id = known.employee_id
    anti join unit_assignments as here
        on handled.employee_id = here.employee_id and handled.unit_id = here.unit_id
        and handled.local_date >= here.valid_from and handled.local_date < here.valid_to
    anti join shifts
        on handled.employee_id = shifts.employee_id and handled.unit_id = shifts.unit_id
        and handled.recorded_at >= shifts.starts_at - $shift_tolerance_minutes * interval '1' minute
        and handled.recorded_at < shifts.ends_at + $shift_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') not in ('absent', 'cancelled', 'swapped')
    where handled.unit_id is not null

),

care as (

    select row_id, 'after_death' as reason_code from after_death
    union all
    select row_id, 'after_discharge' as reason_code from after_stay anti join after_death using (row_id)
    union all
    select row_id, 'no_prescription' as reason_code
    from handled
    where prescription_ref is null and exists (select 1 from drug_rows where prescription_ref is not null)
    union all
    select row_id, 'no_delegation' as reason_code from undelegated
    union all
    select row_id, 'other_unit' as reason_code from elsewhere

)

select * from care
