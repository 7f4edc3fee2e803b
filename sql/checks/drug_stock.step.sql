with

moves as (

    -- what the cabinet holds: a dose is wasted or passed on after it left, other waste and returns leave it
    select
        unit_id, drug, drug_name, strength, quantity_unit, recorded_at, row_id, is_in_period, kind, quantity,
        case
            when kind = 'withdrawal' then -quantity
            when kind = 'return' and patient_id is not null then quantity
            when kind in ('return', 'waste') and patient_id is null then -quantity
            else 0
        end as moved,
        case when kind = 'transfer' and patient_id is null then quantity else 0 end as transferred
    from drug_rows
    where unit_id is not null and drug is not null and kind <> 'administration'

),

running as (

    select
        *,
        sum(moved) over stock as moved_until, sum(transferred) over stock as transferred_until,
        min(quantity_unit) over one_stock <> max(quantity_unit) over one_stock or count(*) over one_stock
            <> count(quantity) over one_stock as is_mixed
    from moves
    window
        stock as (partition by unit_id, drug, strength order by recorded_at, row_id),
        one_stock as (partition by unit_id, drug, strength)

),

counts as (

    select
        *,
        lag(quantity) over counted as quantity_before,
        moved_until - lag(moved_until) over counted as moved_since,
        transferred_until - lag(transferred_until) over counted as transferred_since
    from running
    where kind = 'count'
    window counted as (partition by unit_id, drug, strength order by recorded_at, row_id)

),

compared as (

    -- a transfer does not say whether it came or went: a count that fits either way fits
    select
        row_id, unit_id, drug, drug_name, strength, quantity_unit, recorded_at, is_mixed,
        quantity - quantity_before - moved_since - transferred_since as missing_in,
        quantity - quantity_before - moved_since + transferred_since as missing_out
    from counts
    where is_in_period and quantity_before is not null

),

judged as (

    select
        row_id, unit_id, drug, drug_name, strength, quantity_unit, recorded_at, is_mixed,
        missing_in = 0 or missing_out = 0 as is_fitting,
        cast(case when abs(missing_in) <= abs(missing_out) then missing_in else missing_out end as decimal(18, 4))
            as difference
    from compared

),

stock as (

    -- where most counts of a unit do not fit, its log does not hold every movement: no single count says anything
    select
        *,
        count(*) filter (where is_fitting and not is_mixed) over (partition by unit_id) as n_fitting,
        count(*) filter (where not is_mixed) over (partition by unit_id) as n_counts
    from judged

)

select * from stock
