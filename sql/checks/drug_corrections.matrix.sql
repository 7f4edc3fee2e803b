with

doses as (

    select
        coalesce(patient_id, '-') as patient_id, drug_name || ' ' || strength as drug_and_strength, quantity_unit,
        kind, quantity, is_dose
    from drug_rows
    where is_in_period and kind <> 'count' and patient_id is not null

),

summed as (

    select
        patient_id, drug_and_strength, quantity_unit,
        count(*) filter (where kind = 'withdrawal') as n_withdrawals,
        count(*) filter (where kind = 'administration') as n_signings,
        coalesce(sum(quantity) filter (where kind = 'withdrawal'), 0) as withdrawn,
        coalesce(sum(quantity) filter (where kind = 'administration'), 0) as administered,
        coalesce(sum(quantity) filter (where kind = 'waste'), 0) as wasted,
        coalesce(sum(quantity) filter (where kind = 'return'), 0) as returned,
        coalesce(sum(quantity) filter (where kind = 'transfer'), 0) as transferred,
        bool_and(is_dose) as is_assessable
    from doses
    group by patient_id, drug_and_strength, quantity_unit

),

balances as (

    select
        patient_id, drug_and_strength, quantity_unit, n_withdrawals, n_signings,
        cast(withdrawn as decimal(18, 4)) as withdrawn, cast(administered as decimal(18, 4)) as administered,
        cast(wasted as decimal(18, 4)) as wasted, cast(returned as decimal(18, 4)) as returned,
        cast(transferred as decimal(18, 4)) as transferred,
        case when is_assessable
            then cast(withdrawn - administered - wasted - returned - transferred as decimal(18, 4))
        end as balance,
        is_assessable
    from summed

),

open_balances as (

    -- a balance of nought needs no look; one that cannot be worked out stays empty
    select * from balances where balance is null or balance <> 0

)

select * from open_balances order by balance desc nulls first, patient_id, drug_and_strength, quantity_unit
