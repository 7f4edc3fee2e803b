with

written as (

    select
        source_id, resolved_patient_id as patient_id, max(patient_name) as patient_name,
        max(patient_unit_id) as patient_unit_id
    from resolved_accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and resolved_patient_id in (select patient_id from drawn_everybody)
    group by source_id, resolved_patient_id

),

named as (

    select source_id, id as patient_id, min(identifier) as identifier
    from identifier_periods
    where
        kind = 'patient' and not is_record and id in (select patient_id from drawn_everybody)
        and valid_from <= cast($start_at as date) and valid_to > cast($end_at as date)
    group by source_id, id

),

targets as (

    -- the identifier that stands for the patient in that log, and what else its rows say
    select
        sources.source_id, everybody.patient_id, coalesce(named.identifier, everybody.patient_id) as identifier,
        written.patient_name, written.patient_unit_id
    from sources
    cross join drawn_everybody as everybody
    left join named on sources.source_id = named.source_id and everybody.patient_id = named.patient_id
    left join written on sources.source_id = written.source_id and everybody.patient_id = written.patient_id
    where sources.event_table = 'accesses'

)

select * from targets order by source_id, patient_id
