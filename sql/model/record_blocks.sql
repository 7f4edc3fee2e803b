with

stated as (

    select
        patient_id,
        greatest(blocked_from, valid_from) as begins,
        least(coalesce(blocked_to, valid_to), valid_to) as ends
    from patients
    where blocked_from is not null
    union all
    -- against named persons only it is open to all others: whom it covers is a question of its own
    select patient_id, valid_from as begins, least(valid_to, coalesce(consent_from, valid_to)) as ends
    from blocks
    where scope = 'record' and direction in ('only_named', 'on_consent')
    union all
    select patient_id, greatest(valid_from, consent_to) as begins, valid_to as ends
    from blocks
    where scope = 'record' and direction in ('only_named', 'on_consent')
        and consent_from is not null and consent_to is not null

),

grouped as (

    -- a stretch begins where all earlier ones are over
    select
        *,
        max(ends) over (
            partition by patient_id order by begins, ends rows between unbounded preceding and 1 preceding
        ) as earlier_ends
    from stated
    where begins < ends

),

numbered as (

    select
        *,
        sum(case when earlier_ends is null or begins > earlier_ends then 1 else 0 end) over (
            partition by patient_id order by begins, ends rows between unbounded preceding and current row
        ) as stretch
    from grouped

),

blocked as (

    select patient_id, min(begins) as valid_from, max(ends) as valid_to
    from numbered
    group by patient_id, stretch

)

select * from blocked
