with

handled as (

    -- a shift on which controlled drugs were handled; a day of it where no shift is recorded
    select
        drug_rows.row_id, drug_rows.employee_id, drug_rows.local_date, max(shifts.starts_at) as shift_at
    from drug_rows
    left join shifts
        on drug_rows.employee_id = shifts.employee_id
        and drug_rows.recorded_at >= shifts.starts_at - $shift_tolerance_minutes * interval '1' minute
        and drug_rows.recorded_at < shifts.ends_at + $shift_tolerance_minutes * interval '1' minute
        and coalesce(shifts.status, 'planned') not in ('absent', 'cancelled', 'swapped')
    where drug_rows.is_in_period and drug_rows.employee_id is not null
    group by drug_rows.row_id, drug_rows.employee_id, drug_rows.local_date

),

exposures as (

    select
        employee_id,
        count(distinct shift_at) as n_shifts, count(distinct local_date) filter (where shift_at is null) as n_days
    from handled
    group by employee_id

),

unaccounted as (

    -- doses that left the cabinet and of which nothing shows that the patient got them
    select employee_id, count(distinct row_id) as n_unaccounted
    from drug_errors
    where
        reason_code in ('unsigned', 'waste_not_witnessed', 'waste_by_oneself')
        or reason_code in ('after_death', 'after_discharge') and kind = 'withdrawal'
    group by employee_id

),

handlings as (

    select
        employee_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(*) filter (where kind = 'withdrawal') as n_withdrawals,
        count(*) filter (where kind = 'administration') as n_signings
    from drug_rows
    where is_in_period and employee_id is not null
    group by employee_id

),

people as (

    select
        handlings.employee_id, handlings.unit_id, handlings.first_at, handlings.last_at, handlings.n_events,
        handlings.n_withdrawals, handlings.n_signings, coalesce(unaccounted.n_unaccounted, 0) as n_unaccounted,
        exposures.n_shifts, exposures.n_days, exposures.n_shifts + exposures.n_days as exposure
    from handlings
    inner join exposures on handlings.employee_id = exposures.employee_id
    left join unaccounted on handlings.employee_id = unaccounted.employee_id

)

select * from people
