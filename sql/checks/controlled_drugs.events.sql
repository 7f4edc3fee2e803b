with

words as (

    select 'withdrawal' as kind, 'Withdrawal' as en, 'Uttag' as sv, 'Uttak' as nb
    union all select 'administration', 'Signing', 'Signering', 'Signering'
    union all select 'waste', 'Waste', 'Kassation', 'Kassasjon'
    union all select 'return', 'Return', 'Retur', 'Retur'
    union all select 'transfer', 'Transfer', 'Överföring', 'Overføring'
    union all select 'count', 'Stock count', 'Inventering', 'Telling'

),

asked as (

    -- a finding about a cabinet has neither employee nor patient: its counts are shown
    select
        medication_events.*, patients.name as patient_name,
        concat_ws(' ', drug_name, strength || ',', cast(quantity as varchar), quantity_unit) as what
    from medication_events
    left join patients
        on medication_events.patient_id = patients.patient_id
        and medication_events.local_date >= patients.valid_from
        and medication_events.local_date < patients.valid_to
    where
        medication_events.recorded_at >= $start_at and medication_events.recorded_at < $end_at
        and ($employee_id is null or medication_events.employee_id = $employee_id)
        and ($patient_id is null or medication_events.patient_id = $patient_id)
        and ($employee_id is not null or $patient_id is not null or medication_events.kind = 'count')

),

found as (

    select
        asked.recorded_at, asked.employee_id, asked.employee_name, asked.patient_id, asked.patient_name,
        words.en || ': ' || asked.what as activity_en, words.sv || ': ' || asked.what as activity_sv,
        words.nb || ': ' || asked.what as activity_nb,
        asked.witness_id as access_type_en, asked.witness_id as access_type_sv, asked.witness_id as access_type_nb,
        asked.kind as action, 'success' as outcome, false as is_blocked, false as is_break_glass, true as is_confirmed,
        asked.time_flag, asked.source_id, asked.event_id, 0 as item, cast(null as varchar) as access_id
    from asked
    inner join words on asked.kind = words.kind

)

select * from found order by recorded_at, source_id, event_id
