with

errors as (

    -- a dose on the wrong patient, and one signed late, stand once: at the withdrawal
    select
        doses.row_id,
        case
            when doses.is_wrong_patient then 'wrong_patient'
            when drug_rows.kind = 'withdrawal' then 'unsigned'
            else 'not_withdrawn'
        end as reason_code,
        doses.open_amount as amount, cast(null as bigint) as minutes_apart
    from drug_doses as doses
    inner join drug_rows on doses.row_id = drug_rows.row_id
    where
        drug_rows.is_in_period and doses.open_amount > 0 and not doses.is_at_edge
        and (drug_rows.kind = 'withdrawal' or not doses.is_wrong_patient)
    union all
    select doses.row_id, 'late' as reason_code, cast(null as decimal(18, 4)) as amount, doses.minutes_apart
    from drug_doses as doses
    inner join drug_rows on doses.row_id = drug_rows.row_id
    where
        drug_rows.is_in_period and drug_rows.kind = 'withdrawal' and doses.minutes_apart > $dose_signing_minutes
    union all
    select
        row_id, case when witness_id is null then 'waste_not_witnessed' else 'waste_by_oneself' end as reason_code,
        quantity as amount, cast(null as bigint) as minutes_apart
    from drug_rows
    where
        is_in_period and kind = 'waste' and (witness_id is null or witness_id = employee_id)
        and exists (select 1 from drug_rows where witness_id is not null)
    union all
    select row_id, reason_code, cast(null as decimal(18, 4)) as amount, cast(null as bigint) as minutes_apart
    from drug_care
    union all
    select
        row_id, 'not_assessable' as reason_code, cast(null as decimal(18, 4)) as amount,
        cast(null as bigint) as minutes_apart
    from drug_rows
    where is_in_period and not_assessable is not null

),

described as (

    select
        errors.row_id, errors.reason_code, errors.amount, errors.minutes_apart,
        drug_rows.employee_id, drug_rows.patient_id, drug_rows.unit_id, drug_rows.drug, drug_rows.drug_name,
        drug_rows.strength, drug_rows.quantity, drug_rows.quantity_unit, drug_rows.recorded_at, drug_rows.local_date, drug_rows.kind
    from errors
    inner join drug_rows on errors.row_id = drug_rows.row_id

)

select * from described
