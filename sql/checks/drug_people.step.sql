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

    -- a dose counts once and in the gravest way: nothing shows that a living patient who was there got it
    select
        employee_id,
        count(*) filter (where is_gone) as n_gone,
        count(*) filter (where is_waste and not is_gone) as n_wasted,
        count(*) filter (where is_unsigned and not is_waste and not is_gone) as n_unsigned,
        count(*) filter (where is_partly_unsigned and not is_waste and not is_gone) as n_partly_unsigned,
        count(*) filter (where is_slip) as n_slips
    from (
        select
            row_id, max(employee_id) as employee_id,
            bool_or(reason_code in ('after_death', 'after_discharge') and kind = 'withdrawal') as is_gone,
            bool_or(reason_code in ('waste_not_witnessed', 'waste_by_oneself')) as is_waste,
            bool_or(reason_code = 'unsigned' and amount = quantity) as is_unsigned,
            bool_or(reason_code = 'unsigned' and amount < quantity) as is_partly_unsigned,
            bool_or(reason_code in ('late', 'not_withdrawn', 'wrong_patient', 'no_prescription')) as is_slip
        from drug_errors
        group by row_id
    ) as rows_with_errors
    group by employee_id

),

handlings as (

    select
        employee_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(*) filter (where kind = 'withdrawal') as n_withdrawals,
        count(*) filter (where kind = 'administration') as n_signings,
        count(*) filter (where kind in ('withdrawal', 'waste')) as n_handled
    from drug_rows
    where is_in_period and employee_id is not null
    group by employee_id

),

people as (

    select
        handlings.*, exposures.n_shifts, exposures.n_days,
        coalesce(n_gone, 0) as n_gone, coalesce(n_wasted, 0) as n_wasted, coalesce(n_unsigned, 0) as n_unsigned,
        coalesce(n_partly_unsigned, 0) as n_partly_unsigned, coalesce(n_slips, 0) as n_slips
    from handlings
    inner join exposures on handlings.employee_id = exposures.employee_id
    left join unaccounted on handlings.employee_id = unaccounted.employee_id

),

weighed as (

    -- a shift of usual work with controlled drugs: who handles twice as many doses has two in one
    select
        *, n_gone + n_wasted + n_unsigned + n_partly_unsigned as n_unaccounted,
        cast(cast(
            10000 * n_handled * sum(n_shifts + n_days) over () // greatest(sum(n_handled) over (), 1) as decimal(18, 0)
        ) * 0.0001 as decimal(18, 4)) as exposure
    from people

)

select * from weighed
