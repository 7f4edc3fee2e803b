with

seen as (

    select
        source_id, access_id, recorded_at, local_date, time_flag, coalesce(unit_name, unit_id) as unit,
        employee_id, employee_name, role, patient_id, patient_name, action, outcome, is_access,
        is_break_glass, is_blocked, is_confirmed, is_unknown_code, is_patient_unresolved,
        log_type, table_name, message_type
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

),

worded as (

    -- the dictionary's words alone: a text that the log itself wrote may name another patient
    select
        seen.*,
        coalesce(roles.name, seen.role) as role_name,
        concat_ws(' ', coalesce(message_code.activity_en, log_code.activity_en), table_code.activity_en) as words_en,
        concat_ws(' ', coalesce(message_code.activity_sv, log_code.activity_sv), table_code.activity_sv) as words_sv,
        concat_ws(' ', coalesce(message_code.activity_nb, log_code.activity_nb), table_code.activity_nb) as words_nb,
        coalesce(message_code.access_type_en, log_code.access_type_en) as access_type_en,
        coalesce(message_code.access_type_sv, log_code.access_type_sv) as access_type_sv,
        coalesce(message_code.access_type_nb, log_code.access_type_nb) as access_type_nb
    from seen
    left join roles
        on seen.role = roles.role and seen.local_date >= roles.valid_from and seen.local_date < roles.valid_to
    left join codes as message_code on message_code.field = 'message_type'
        and seen.source_id = message_code.source_id and seen.message_type = message_code.code
    left join codes as log_code
        on log_code.field = 'log_type' and seen.source_id = log_code.source_id and seen.log_type = log_code.code
    left join codes as table_code on table_code.field = 'table_name'
        and seen.source_id = table_code.source_id and seen.table_name = table_code.code

),

listed as (

    select
        case when action = 'search' then 'search' when is_access then 'access' else 'attempt' end as part,
        recorded_at, unit, employee_id, employee_name, role_name as role, patient_id, patient_name,
        nullif(words_en, '') as activity_en, nullif(words_sv, '') as activity_sv, nullif(words_nb, '') as activity_nb,
        access_type_en, access_type_sv, access_type_nb, action, outcome, is_break_glass, is_blocked,
        time_flag, is_confirmed, is_unknown_code, is_patient_unresolved, source_id,
        cast(access_id as varchar) as access_id
    from worded

)

select * from listed order by recorded_at, source_id, access_id
