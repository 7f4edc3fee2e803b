with

grouped as (

    -- one task for an employee, a patient and a drug; for a whole unit where it is the unit that is asked about
    select
        reason_code, employee_id,
        case when reason_code not in ('other_unit', 'no_delegation') then patient_id end as patient_id,
        case when reason_code in ('other_unit', 'no_delegation') then '' else drug_name || ' ' || strength end as drug,
        case when reason_code = 'other_unit' then unit_id end as foreign_unit_id,
        max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct local_date) as n_dates,
        case when min(quantity_unit) = max(quantity_unit) then sum(amount) end as amount,
        max(quantity_unit) as quantity_unit, max(minutes_apart) as minutes_apart
    from drug_errors
    group by 1, 2, 3, 4, 5

),

stock as (

    select
        unit_id, drug_name, strength, quantity_unit, recorded_at, difference, n_fitting, n_counts, is_mixed,
        is_fitting, 100 * n_fitting < $stock_fit_percent * n_counts as is_not_followed
    from drug_stock

),

tasks as (

    select
        reason_code, employee_id, patient_id, unit_id, drug, first_at, last_at, n_events, n_dates, amount,
        quantity_unit, minutes_apart, cast(null as bigint) as n_fitting,
        concat_ws('|', drug, foreign_unit_id) as subject
    from grouped
    union all
    select
        'stock_count' as reason_code, null as employee_id, null as patient_id, unit_id, drug_name || ' ' || strength,
        min(recorded_at), max(recorded_at), count(*), count(distinct cast(recorded_at as date)), sum(difference),
        max(quantity_unit), null, null, drug_name || ' ' || strength
    from stock
    where not is_fitting and not is_mixed and not is_not_followed
    group by unit_id, drug_name, strength
    union all
    select
        'stock_not_followed' as reason_code, null, null, unit_id, '', min(recorded_at), max(recorded_at),
        count(*) filter (where not is_mixed), count(distinct cast(recorded_at as date)), null, null, null,
        max(n_fitting), ''
    from stock
    where is_not_followed
    group by unit_id
    union all
    select
        'stock_not_assessable' as reason_code, null, null, unit_id, drug_name || ' ' || strength, min(recorded_at),
        max(recorded_at), count(*), count(distinct cast(recorded_at as date)), null, null, null, null,
        drug_name || ' ' || strength
    from stock
    where is_mixed
    group by unit_id, drug_name, strength

),

findings as (

    select
        sha256(concat_ws(
            '|', 'drug_corrections', reason_code, coalesce(employee_id, '-'), coalesce(patient_id, '-'),
            case when employee_id is null then coalesce(unit_id, '-') end, subject,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'drug_corrections' as check_id,
        -- the others may be a register that came late, or a slip: a task, no suspicion
        case when reason_code in ('after_death', 'waste_by_oneself') then 'breach' else 'targeted' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure, cast(null as decimal(18, 4)) as expected,
        cast(null as decimal(19, 18)) as tail_probability, cast(null as varchar) as peer_group, reason_code,
        {
            'n_rows': n_events, 'n_dates': n_dates, 'drug': drug, 'amount': cast(amount as decimal(18, 4)),
            'quantity_unit': quantity_unit, 'hours': cast(0.1 * (minutes_apart // 6) as decimal(18, 1)),
            'unit': unit_id, 'n_fitting': n_fitting
        } as reason_values,
        case
            when reason_code = 'after_death' then 3
            when reason_code in ('after_discharge', 'no_delegation', 'waste_by_oneself') then 2
            else 1
        end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from tasks

)

select * from findings order by severity desc, reason_code, n_events desc, employee_id, patient_id, unit_id, finding_id
