with

doses as (

    select
        *,
        count(*) filter (where is_withdrawal) over (
            partition by patient_id, drug, strength order by placed_at, is_withdrawal desc, row_id
        ) as dose
    from drug_remains

),

followed as (

    -- then what is left of each withdrawal with what is left to follow it, before the next that is left
    select
        *,
        max(remainder) filter (where is_withdrawal) over same_dose as withdrawn,
        abs(date_diff(
            'minute', max(recorded_at) filter (where is_withdrawal) over same_dose, recorded_at
        )) as minutes_apart
    from doses
    window same_dose as (partition by patient_id, drug, strength, dose)

),

reached as (

    select
        *, not is_withdrawal and dose > 0 and minutes_apart <= $dose_search_hours * 60 as is_reached
    from followed

),

used as (

    select
        *,
        coalesce(sum(remainder) filter (where is_reached) over (
            partition by patient_id, drug, strength, dose
            order by placed_at, row_id rows between unbounded preceding and 1 preceding
        ), 0) as used_before
    from reached

),

taken as (

    select
        * exclude (minutes_apart), minutes_apart,
        case when is_reached then greatest(least(remainder, withdrawn - used_before), 0) else 0 end as amount
    from used

),

left_over as (

    select
        row_id, patient_id, drug, strength, recorded_at, is_withdrawal, placed_at,
        remainder - case when is_withdrawal then sum(amount) over same_dose else amount end as remainder,
        case
            when is_withdrawal then max(minutes_apart) filter (where amount > 0) over same_dose
            when amount > 0 then minutes_apart
        end as minutes_apart
    from taken
    window same_dose as (partition by patient_id, drug, strength, dose)

),

breaks as (

    -- a stretch of what is still left ends where a gap is longer than one searches
    select
        *,
        case
            when placed_at <= lag(placed_at) over same_balance + $dose_search_hours * interval '1' hour
                + $clock_tolerance_minutes * interval '1' minute then 0
            else 1
        end as is_first
    from left_over
    window same_balance as (partition by patient_id, drug, strength, remainder > 0 order by placed_at, row_id)

),

late as (

    select
        * exclude (is_first),
        sum(is_first) over (
            partition by patient_id, drug, strength, remainder > 0 order by placed_at, row_id
        ) as stretch
    from breaks

)

select * from late
