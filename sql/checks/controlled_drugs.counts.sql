with

counted as (

    -- all rows, then each unit, each drug and strength, each employee: a column that was summed over is empty
    select
        coalesce(unit_id, '-') as unit_id, drug_name || ' ' || strength as drug_and_strength,
        coalesce(employee_id, '-') as employee_id, kind, not_assessable
    from drug_rows
    where is_in_period

),

summed as (

    select
        unit_id, drug_and_strength, employee_id,
        count(*) filter (where kind = 'withdrawal') as n_withdrawals,
        count(*) filter (where kind = 'administration') as n_signings,
        count(*) filter (where kind = 'waste') as n_wastes,
        count(*) filter (where kind = 'return') as n_returns,
        count(*) filter (where not_assessable is not null) as n_not_assessable
    from counted
    group by grouping sets ((), (unit_id), (drug_and_strength), (employee_id))

),

counts as (

    select
        summed.unit_id, summed.drug_and_strength, summed.employee_id, summed.n_withdrawals, summed.n_signings,
        case when summed.n_withdrawals > 0
            then cast(0.1 * cast(1000 * summed.n_signings // summed.n_withdrawals as decimal(18, 0)) as decimal(18, 1))
        end as signings_per_100,
        summed.n_wastes, summed.n_returns, summed.n_not_assessable,
        drug_people.n_unaccounted, drug_people.n_shifts, drug_people.n_days, drug_people.exposure
    from summed
    left join drug_people on summed.employee_id = drug_people.employee_id

)

select * from counts order by unit_id nulls first, drug_and_strength nulls first, employee_id nulls first
