with

queues as (

    select
        *,
        sum(remainder) over (
            partition by patient_id, drug, strength, stretch, is_withdrawal order by placed_at, row_id
        ) as until_amount
    from drug_late
    where remainder > 0

),

pairs as (

    -- last, first withdrawn and first signed: several withdrawals signed at once, each part of an amount once
    select
        withdrawn.row_id as withdrawn_id, used.row_id as used_id,
        least(withdrawn.until_amount, used.until_amount) - greatest(
            withdrawn.until_amount - withdrawn.remainder, used.until_amount - used.remainder
        ) as amount,
        abs(date_diff('minute', withdrawn.recorded_at, used.recorded_at)) as minutes_apart
    from queues as withdrawn
    inner join queues as used
        on withdrawn.patient_id = used.patient_id and withdrawn.drug = used.drug
        and withdrawn.strength = used.strength and withdrawn.stretch = used.stretch
        and withdrawn.until_amount > used.until_amount - used.remainder
        and used.until_amount > withdrawn.until_amount - withdrawn.remainder
    where
        withdrawn.is_withdrawal and not used.is_withdrawal
        and abs(date_diff('minute', withdrawn.recorded_at, used.recorded_at)) <= $dose_search_hours * 60

),

summed as (

    select row_id, sum(amount) as amount, max(minutes_apart) as minutes_apart
    from (select unnest([withdrawn_id, used_id]) as row_id, amount, minutes_apart from pairs) as found
    group by row_id

),

opened as (

    select
        drug_rows.row_id, drug_rows.employee_id, drug_rows.patient_id, drug_rows.drug, drug_rows.strength,
        drug_rows.quantity_unit, drug_rows.recorded_at, drug_rows.kind,
        coalesce(greatest(summed.minutes_apart, drug_late.minutes_apart), summed.minutes_apart, drug_late.minutes_apart)
            as minutes_apart,
        drug_late.remainder - coalesce(summed.amount, 0) as open_amount,
        case
            when drug_late.is_withdrawal
                then drug_rows.recorded_at + $dose_search_hours * interval '1' hour > drug_rows.last_known_at
            else drug_rows.recorded_at - $dose_search_hours * interval '1' hour < drug_rows.first_known_at
        end as is_at_edge
    from drug_late
    inner join drug_rows on drug_late.row_id = drug_rows.row_id
    left join summed on drug_late.row_id = summed.row_id

),

mistaken as (

    -- the same employee, drug and amount at the same time with two patients: signed on the wrong one
    select
        withdrawn.row_id as withdrawn_id, used.row_id as used_id,
        row_number() over (partition by withdrawn.row_id order by used.recorded_at, used.row_id) as place,
        row_number() over (partition by used.row_id order by withdrawn.recorded_at desc, withdrawn.row_id) as used_place
    from opened as withdrawn
    inner join opened as used
        on withdrawn.employee_id = used.employee_id and withdrawn.drug = used.drug
        and withdrawn.strength = used.strength and withdrawn.quantity_unit = used.quantity_unit
        and withdrawn.open_amount = used.open_amount and withdrawn.patient_id <> used.patient_id
    where
        withdrawn.kind = 'withdrawal' and used.kind = 'administration' and withdrawn.open_amount > 0
        and abs(date_diff('minute', withdrawn.recorded_at, used.recorded_at)) <= $dose_signing_minutes

),

mistakes as (

    select unnest([withdrawn_id, used_id]) as row_id from mistaken where place = 1 and used_place = 1

),

doses as (

    select
        opened.row_id, cast(opened.open_amount as decimal(18, 4)) as open_amount, opened.minutes_apart,
        opened.is_at_edge, mistakes.row_id is not null as is_wrong_patient
    from opened
    left join mistakes on opened.row_id = mistakes.row_id

)

select * from doses
