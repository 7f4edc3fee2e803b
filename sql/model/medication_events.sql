with

located as (

    select
        stored.source_id, stored.event_id, stored.file_id, stored.line_number,
        stored.recorded_at, stored.local_date, stored.local_hour, stored.local_weekday,
        stored.is_holiday, stored.time_flag,
        coalesce(employee_key.id, stored.employee_id) as employee_id,
        stored.employee_id as employee_identifier,
        coalesce(witness_key.id, stored.witness_id) as witness_id,
        coalesce(patient_key.id, stored.patient_id) as patient_id,
        stored.patient_id as patient_identifier,
        coalesce(unit_key.id, stored.unit_id) as unit_id,
        stored.drug_code, stored.drug_name, stored.strength, stored.quantity, stored.quantity_unit,
        stored.kind, stored.prescription_ref
    from lake.medication_events as stored
    left join identifier_periods as employee_key
        on employee_key.kind = 'employee'
        and stored.source_id = employee_key.source_id
        and stored.employee_id = employee_key.identifier
        and stored.local_date >= employee_key.valid_from
        and stored.local_date < employee_key.valid_to
    left join identifier_periods as witness_key
        on witness_key.kind = 'employee'
        and stored.source_id = witness_key.source_id
        and stored.witness_id = witness_key.identifier
        and stored.local_date >= witness_key.valid_from
        and stored.local_date < witness_key.valid_to
    left join identifier_periods as patient_key
        on patient_key.kind = 'patient'
        and stored.source_id = patient_key.source_id
        and stored.patient_id = patient_key.identifier
        and stored.local_date >= patient_key.valid_from
        and stored.local_date < patient_key.valid_to
    left join identifier_periods as unit_key
        on unit_key.kind = 'unit'
        and stored.source_id = unit_key.source_id
        and stored.unit_id = unit_key.identifier
        and stored.local_date >= unit_key.valid_from
        and stored.local_date < unit_key.valid_to

),

named as (

    select located.*, employees.name as employee_name, home_units.role
    from located
    left join employees
        on located.employee_id = employees.employee_id
        and located.local_date >= employees.valid_from and located.local_date < employees.valid_to
    left join home_units
        on located.employee_id = home_units.employee_id
        and located.local_date >= home_units.valid_from and located.local_date < home_units.valid_to

)

select * from named
