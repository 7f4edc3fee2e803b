with

known as (

    select
        seen.*,
        coalesce(home_units.unit_id, seen.resolved_unit_id) as home_unit_id,
        coalesce(home_units.role, seen.role) as home_role,
        coalesce(employees.name, seen.employee_name) as known_employee_name,
        coalesce(patients.name, seen.patient_name) as known_patient_name,
        seen.employee_id is not null and employees.employee_id is null as is_employee_unresolved,
        seen.resolved_patient_id is not null and not seen.is_patient_unresolved and patients.patient_id is null
            as is_patient_unlisted,
        coalesce(seen.is_blocked, false) or record_blocks.patient_id is not null as is_record_blocked
    from resolved_accesses as seen
    left join employees
        on seen.resolved_employee_id = employees.employee_id
        and seen.local_date >= employees.valid_from and seen.local_date < employees.valid_to
    left join home_units
        on seen.resolved_employee_id = home_units.employee_id
        and seen.local_date >= home_units.valid_from and seen.local_date < home_units.valid_to
    left join patients
        on seen.resolved_patient_id = patients.patient_id
        and seen.local_date >= patients.valid_from and seen.local_date < patients.valid_to
    left join record_blocks
        on seen.resolved_patient_id = record_blocks.patient_id
        and seen.local_date >= record_blocks.valid_from and seen.local_date < record_blocks.valid_to

),

explained as (

    select
        seen.*,
        units.name as unit_name, units.unit_type,
        coalesce(message_code.action, log_code.action, seen.action, 'other') as known_action,
        coalesce(message_code.outcome, log_code.outcome, seen.outcome) as known_outcome,
        coalesce(table_code.area, case when seen.resolved_patient_id is null then 'none' else 'patient' end) as area,
        nullif(concat_ws(' ', coalesce(message_code.activity_en, log_code.activity_en), table_code.activity_en), '')
            as known_activity_en,
        nullif(concat_ws(' ', coalesce(message_code.activity_sv, log_code.activity_sv), table_code.activity_sv), '')
            as known_activity_sv,
        nullif(concat_ws(' ', coalesce(message_code.activity_nb, log_code.activity_nb), table_code.activity_nb), '')
            as known_activity_nb,
        coalesce(message_code.access_type_en, log_code.access_type_en, seen.access_type) as access_type_en,
        coalesce(message_code.access_type_sv, log_code.access_type_sv, seen.access_type) as access_type_sv,
        coalesce(message_code.access_type_nb, log_code.access_type_nb, seen.access_type) as access_type_nb,
        nullif(concat_ws(' ', log_code.meaning_en, table_code.meaning_en, message_code.meaning_en), '')
            as known_meaning_en,
        nullif(concat_ws(' ', log_code.meaning_sv, table_code.meaning_sv, message_code.meaning_sv), '')
            as known_meaning_sv,
        nullif(concat_ws(' ', log_code.meaning_nb, table_code.meaning_nb, message_code.meaning_nb), '')
            as known_meaning_nb,
        (seen.message_type is null or coalesce(message_code.is_confirmed, false))
        and (seen.log_type is null or coalesce(log_code.is_confirmed, false))
        and (seen.table_name is null or coalesce(table_code.is_confirmed, false)) as is_confirmed,
        (seen.message_type is not null and message_code.code is null)
        or (seen.log_type is not null and log_code.code is null)
        or (seen.table_name is not null and table_code.code is null) as is_unknown_code,
        coalesce(message_code.follows, log_code.follows, table_code.follows, '') as follows
    from known as seen
    left join units on seen.home_unit_id = units.unit_id
        and seen.local_date >= units.valid_from and seen.local_date < units.valid_to
    left join codes as message_code on message_code.field = 'message_type'
        and seen.source_id = message_code.source_id and seen.message_type = message_code.code
    left join codes as log_code
        on log_code.field = 'log_type' and seen.source_id = log_code.source_id and seen.log_type = log_code.code
    left join codes as table_code on table_code.field = 'table_name'
        and seen.source_id = table_code.source_id and seen.table_name = table_code.code

),

described as (

    select
        access_id, source_id, event_id, item, record_hash, file_id, line_number,
        recorded_at, local_date, local_hour, local_weekday, is_holiday, time_flag,
        resolved_employee_id as employee_id, employee_id as employee_identifier, known_employee_name as employee_name,
        home_role as role, home_unit_id as unit_id, unit_name, unit_type, on_behalf_of,
        resolved_patient_id as patient_id, patient_id as patient_identifier, known_patient_name as patient_name,
        patient_unit_id, known_action as action, area, access_type, activity,
        log_type, table_name, record_ref, message_type, message, known_outcome as outcome,
        is_break_glass, is_record_blocked as is_blocked, purpose, network_address, country, session_id, flags,
        coalesce(known_activity_en, activity) as activity_en,
        coalesce(known_activity_sv, activity) as activity_sv,
        coalesce(known_activity_nb, activity) as activity_nb,
        access_type_en, access_type_sv, access_type_nb,
        coalesce(known_meaning_en, known_activity_en, activity) as meaning_en,
        coalesce(known_meaning_sv, known_activity_sv, activity) as meaning_sv,
        coalesce(known_meaning_nb, known_activity_nb, activity) as meaning_nb,
        is_confirmed, is_unknown_code, is_patient_unresolved, is_employee_unresolved, is_patient_unlisted,
        follows = 'blocked_search' or (known_action = 'search' and is_record_blocked) as is_blocked_search,
        follows in ('patient_search', 'blocked_search')
        or (known_action = 'search' and resolved_patient_id is not null) as is_patient_search,
        known_outcome in ('success', 'unknown') and known_action <> 'search' as is_access
    from explained

)

select * from described
