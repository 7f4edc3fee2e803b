with

located as (

    select
        stored.source_id, stored.event_id, stored.file_id, stored.line_number,
        stored.recorded_at, stored.local_date, stored.local_hour, stored.local_weekday,
        stored.is_holiday, stored.time_flag,
        coalesce(employee_key.id, stored.employee_id) as employee_id,
        stored.employee_id as employee_identifier,
        stored.account, stored.kind, stored.reason, stored.network_address, stored.country,
        stored.device, stored.session_id, stored.repeated
    from lake.authentications as stored
    left join identifier_periods as employee_key
        on employee_key.kind = 'employee'
        and stored.source_id = employee_key.source_id
        and coalesce(stored.employee_id, stored.account) = employee_key.identifier
        and stored.local_date >= employee_key.valid_from
        and stored.local_date < employee_key.valid_to

),

words as (

    select *
    from (
        values
        ('login', 'Logged in', 'Loggade in', 'Logget inn'),
        ('logout', 'Logged out', 'Loggade ut', 'Logget ut'),
        ('failure', 'Failed to log in', 'Misslyckades att logga in', 'Mislyktes med å logge inn'),
        ('lockout', 'Account locked', 'Kontot låstes', 'Kontoen ble låst'),
        ('unlock', 'Account unlocked', 'Kontot låstes upp', 'Kontoen ble låst opp'),
        ('password_change', 'Password changed', 'Lösenordet byttes', 'Passordet ble byttet'),
        ('log_cleared', 'Log cleared', 'Loggen rensades', 'Loggen ble tømt'),
        ('other', 'Other event', 'Annan händelse', 'Annen hendelse')
    ) as listed (kind, activity_en, activity_sv, activity_nb)

),

named as (

    select
        located.*,
        words.activity_en,
        words.activity_sv,
        words.activity_nb,
        employees.name as employee_name,
        home_units.role,
        home_units.unit_id
    from located
    left join words on located.kind = words.kind
    left join employees
        on located.employee_id = employees.employee_id
        and located.local_date >= employees.valid_from and located.local_date < employees.valid_to
    left join home_units
        on located.employee_id = home_units.employee_id
        and located.local_date >= home_units.valid_from and located.local_date < home_units.valid_to

)

select * from named
