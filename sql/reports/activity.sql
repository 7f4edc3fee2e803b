with

seen as (

    select
        source_id, employee_id, employee_name, patient_id, patient_name, table_name, recorded_at,
        is_blocked, is_patient_unresolved, is_confirmed, is_unknown_code,
        area = 'journal' as is_in_journal,
        area in ('journal', 'patient') and action in ('read', 'print', 'export') as is_reading
    from accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and ($patient_id is null or patient_id = $patient_id)
        and ($patient_id is null or patient_identifier in (
            select prefix || $patient_id from identifier_prefixes
            union all
            select identifier from patient_identifiers where patient_id = $patient_id
        ))
        and ($employee_id is null or employee_id = $employee_id)
        and ($employee_id is null or employee_identifier in (
            select cast($employee_id as varchar)
            union all
            select identifier from employee_identifiers where employee_id = $employee_id
        ))
        and is_access
        and patient_id is not null

),

spaced as (

    -- which of several at one moment comes first changes no count, so their ids, half of what lies there, stay unread
    select
        *,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name, is_in_journal order by recorded_at
        ) as previous_in_journal_at,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name, is_reading order by recorded_at
        ) as previous_reading_at
    from seen

),

marked as (

    select
        *,
        is_in_journal and coalesce(
            date_diff('microsecond', previous_in_journal_at, recorded_at) >= $opening_gap_minutes * 60000000, true
        ) as begins_in_journal,
        is_reading and coalesce(
            date_diff('microsecond', previous_reading_at, recorded_at) >= $opening_gap_minutes * 60000000, true
        ) as begins_reading
    from spaced

),

counted as (

    select
        employee_id,
        max(employee_name) as employee_name,
        patient_id,
        max(patient_name) as patient_name,
        count(*) filter (where is_in_journal) as n_journal,
        count(*) filter (where begins_in_journal) as n_journal_openings,
        min(recorded_at) filter (where is_in_journal) as first_journal_at,
        max(recorded_at) filter (where is_in_journal) as last_journal_at,
        count(*) filter (where is_reading) as n_patient,
        count(*) filter (where begins_reading) as n_patient_openings,
        min(recorded_at) filter (where is_reading) as first_patient_at,
        max(recorded_at) filter (where is_reading) as last_patient_at,
        count(*) as n_accesses,
        bool_or(is_blocked) as is_blocked,
        bool_or(is_patient_unresolved) as is_patient_unresolved,
        count(*) filter (where not is_confirmed and not is_unknown_code) as n_unconfirmed_codes,
        count(*) filter (where is_unknown_code) as n_unknown_codes
    from marked
    group by employee_id, patient_id

)

select * from counted order by n_accesses desc, employee_id nulls last, patient_id
