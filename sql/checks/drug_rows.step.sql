with

seen as (

    -- rows shortly before and after the period belong to doses that end or begin in it
    select
        row_number() over (order by recorded_at, source_id, event_id) as row_id,
        recorded_at, local_date, employee_id, witness_id, patient_id, unit_id, role, kind,
        coalesce(drug_code, drug_name) as drug, coalesce(drug_name, drug_code, '-') as drug_name,
        coalesce(strength, '-') as strength, quantity,
        coalesce(lower(trim(quantity_unit)), '-') as quantity_unit, prescription_ref,
        recorded_at >= $start_at and recorded_at < $end_at as is_in_period
    from medication_events
    where
        recorded_at >= $start_at - ($dose_search_hours + 24) * interval '1' hour
        and recorded_at < $end_at + ($dose_search_hours + 24) * interval '1' hour

),

judged as (

    select
        *,
        case
            when drug is null then 'no_drug'
            when patient_id is null and kind in ('withdrawal', 'administration') then 'no_patient'
            when quantity is null or quantity < 0 and kind <> 'transfer' or quantity = 0 and kind <> 'count'
                then 'no_quantity'
        end as problem
    from seen

),

grouped as (

    -- one row that cannot be counted, or a second unit of quantity, leaves the whole balance open: nothing is converted
    select
        *,
        case
            when patient_id is null or kind = 'count' then problem
            when max(problem) over balances is not null then coalesce(problem, 'other_row')
            when min(quantity_unit) over balances <> max(quantity_unit) over balances then 'mixed_units'
        end as not_assessable
    from judged
    window balances as (partition by patient_id, drug, strength)

),

rows_of_drugs as (

    select
        * exclude (problem),
        patient_id is not null and kind <> 'count' and not_assessable is null as is_dose,
        min(recorded_at) over () as first_known_at, max(recorded_at) over () as last_known_at
    from grouped

)

select * from rows_of_drugs
