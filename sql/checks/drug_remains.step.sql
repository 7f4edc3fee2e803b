with

placed as (

    -- what is signed a moment before its withdrawal, by clocks that differ, belongs to that withdrawal
    select
        row_id, patient_id, drug, strength, recorded_at, quantity, kind = 'withdrawal' as is_withdrawal,
        case
            when kind = 'withdrawal' then recorded_at
            else recorded_at + $clock_tolerance_minutes * interval '1' minute
        end as placed_at
    from drug_rows
    where is_dose

),

doses as (

    select
        *,
        count(*) filter (where is_withdrawal) over (
            partition by patient_id, drug, strength order by placed_at, is_withdrawal desc, row_id
        ) as dose
    from placed

),

near as (

    -- first each withdrawal with what follows it in time, before the next one
    select
        *,
        max(quantity) filter (where is_withdrawal) over same_dose as withdrawn,
        not is_withdrawal and abs(date_diff(
            'minute', max(recorded_at) filter (where is_withdrawal) over same_dose, recorded_at
        )) <= $dose_signing_minutes as is_near
    from doses
    window same_dose as (partition by patient_id, drug, strength, dose)

),

used as (

    select
        *,
        coalesce(sum(quantity) filter (where is_near) over same_dose, 0) as used_in_all,
        coalesce(sum(quantity) filter (where is_near) over (
            partition by patient_id, drug, strength, dose order by placed_at, row_id
            rows between unbounded preceding and 1 preceding
        ), 0) as used_before
    from near
    window same_dose as (partition by patient_id, drug, strength, dose)

),

remaining as (

    select
        row_id, patient_id, drug, strength, recorded_at, is_withdrawal, placed_at,
        quantity - case
            when is_withdrawal then least(quantity, used_in_all)
            when is_near then greatest(least(quantity, withdrawn - used_before), 0)
            else 0
        end as remainder
    from used

),

remains as (

    select * from remaining where remainder > 0

)

select * from remains
