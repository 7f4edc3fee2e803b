with

found as (

    select
        employee_id, patient_id, unit_id, role, recorded_at, local_date, patient_id as subject_patient_id,
        'denied_attempts' as reason_code, '' as resource
    from period_accesses
    -- who cares for the patient met a fault of the rights, not a wall
    anti join explained_rows on period_accesses.access_id = explained_rows.access_id
    where outcome in ('denied', 'failed')
    union all
    -- a resource type is one question, however many the patients
    select
        seen.employee_id, seen.patient_id, seen.unit_id, seen.role, seen.recorded_at, seen.local_date,
        null as subject_patient_id,
        'not_permitted' as reason_code, concat_ws(' ', coalesce(seen.table_name, seen.area), seen.action) as resource
    from period_accesses as seen
    inner join not_permitted as barred
        on seen.role = barred.role and seen.source_id = barred.source_id and seen.action = barred.action
        and seen.local_date = barred.local_date and seen.area is not distinct from barred.area
        and seen.table_name is not distinct from barred.table_name
    where seen.is_access

),

reasoned as (

    -- where other openings of the patient have their reason, or the role a mandate, the wall is the question
    select period_accesses.employee_id, period_accesses.patient_id
    from period_accesses
    semi join found
        on period_accesses.employee_id = found.employee_id and period_accesses.patient_id = found.subject_patient_id
    semi join explained_rows on period_accesses.access_id = explained_rows.access_id
    where is_access
    union
    select found.employee_id, found.patient_id
    from found
    inner join roles
        on found.role = roles.role
        and found.local_date >= roles.valid_from and found.local_date < roles.valid_to
    where roles.mandate <> 'care'
    union
    select found.employee_id, found.patient_id
    from found
    semi join missing_reasons on found.employee_id = missing_reasons.employee_id

),

shared as (

    -- what many of a role do is a row that the list of permissions lacks
    select role, resource from found where reason_code = 'not_permitted' group by role, resource
    having count(distinct employee_id) >= $people_of_missing_permission

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
            '|', 'unauthorised_resources', reason_code, subjects.resource, coalesce(subjects.employee_id, ''),
            coalesce(subject_patient_id, ''),
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'unauthorised_resources' as check_id,
        case when coalesce(reasoned.patient_id, shared.role) is null then 'breach' else 'targeted' end as stream,
        subjects.employee_id, subjects.patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        reason_code as reason_code,
        {
            'n_events': n_events, 'n_patients': n_patients, 'resource': subjects.resource, 'role': subjects.role
        } as reason_values,
        case when reason_code = 'not_permitted' then 2 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from subjects
    left join reasoned
        on subjects.employee_id = reasoned.employee_id and subjects.subject_patient_id = reasoned.patient_id
    left join shared on subjects.role = shared.role and subjects.resource = shared.resource
    -- fewer attempts are a slip or a fault of the program: they stand in the plain counts and the spot check
    where reason_code = 'not_permitted' or n_events >= $minimum_denied_attempts

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
