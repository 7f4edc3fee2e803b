with

uses as (

    select distinct role, source_id, area, table_name, action, local_date
    from period_accesses
    where is_access and role is not null

),

not_permitted as (

    -- a role without a row is not assessed
    select uses.role, uses.source_id, uses.area, uses.table_name, uses.action, uses.local_date
    from uses
    inner join role_permissions as known
        on uses.role = known.role and uses.local_date >= known.valid_from and uses.local_date < known.valid_to
    group by uses.role, uses.source_id, uses.area, uses.table_name, uses.action, uses.local_date
    having not bool_or(
        (known.source_id is null or uses.source_id = known.source_id)
        and (known.area is null or coalesce(uses.area = known.area, false))
        and (known.table_name is null or coalesce(uses.table_name = known.table_name, false))
        and (known.action is null or uses.action = known.action)
    )

),

found as (

    select
        employee_id, patient_id, unit_id, role, recorded_at, patient_id as subject_patient_id,
        'denied_attempts' as reason_code, '' as resource
    from period_accesses
    -- who cares for the patient met a fault of the rights, not a wall
    anti join explained_rows on period_accesses.access_id = explained_rows.access_id
    where outcome in ('denied', 'failed')
    union all
    -- a resource type is one question, however many the patients
    select
        seen.employee_id, seen.patient_id, seen.unit_id, seen.role, seen.recorded_at, null as subject_patient_id,
        'not_permitted' as reason_code, concat_ws(' ', coalesce(seen.table_name, seen.area), seen.action) as resource
    from period_accesses as seen
    inner join not_permitted as barred
        on seen.role = barred.role and seen.source_id = barred.source_id and seen.action = barred.action
        and seen.local_date = barred.local_date and seen.area is not distinct from barred.area
        and seen.table_name is not distinct from barred.table_name
    where seen.is_access

),

subjects as (

    select
        employee_id, subject_patient_id, reason_code, resource, max(unit_id) as unit_id, max(role) as role,
        case when min(patient_id) = max(patient_id) then min(patient_id) end as patient_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, count(distinct patient_id) as n_patients
    from found
    group by employee_id, subject_patient_id, reason_code, resource

),

findings as (

    select
        sha256(concat_ws(
            '|', 'unauthorised_resources', reason_code, resource, coalesce(employee_id, ''),
            coalesce(subject_patient_id, ''),
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'unauthorised_resources' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        reason_code as reason_code,
        {'n_events': n_events, 'n_patients': n_patients, 'resource': resource, 'role': role} as reason_values,
        case when reason_code = 'not_permitted' then 2 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from subjects
    -- fewer attempts are a slip or a fault of the program: they stand in the plain counts and the spot check
    where reason_code = 'not_permitted' or n_events >= $minimum_denied_attempts

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
