with

begins as (

    select 'employees' as kind, min(valid_from) as first_from from employees
    union all
    select 'employments' as kind, min(valid_from) as first_from from employments
    union all
    select 'units' as kind, min(valid_from) as first_from from units
    union all
    select 'unit_assignments' as kind, min(valid_from) as first_from from unit_assignments
    union all
    select 'roles' as kind, min(valid_from) as first_from from roles
    union all
    select 'role_permissions' as kind, min(valid_from) as first_from from role_permissions
    union all
    select 'delegations' as kind, min(valid_from) as first_from from delegations
    union all
    select 'shifts' as kind, min(cast(starts_at as date)) as first_from from shifts
    union all
    select 'patients' as kind, min(valid_from) as first_from from patients
    union all
    select 'patient_flags' as kind, min(valid_from) as first_from from patient_flags
    union all
    select 'stays' as kind, min(cast(starts_at as date)) as first_from from stays
    union all
    select 'appointments' as kind, min(cast(starts_at as date)) as first_from from appointments
    union all
    select 'referrals' as kind, min(valid_from) as first_from from referrals
    union all
    select 'care_teams' as kind, min(valid_from) as first_from from care_teams
    union all
    select 'blocks' as kind, min(valid_from) as first_from from blocks
    union all
    select 'record_keys' as kind, min(valid_from) as first_from from record_keys
    union all
    select 'identifiers' as kind, min(valid_from) as first_from from identifiers
    union all
    select 'media_interest' as kind, min(valid_from) as first_from from media_interest
    union all
    select 'households' as kind, min(valid_from) as first_from from households
    union all
    select 'relations' as kind, min(valid_from) as first_from from relations
    union all
    select 'approved_travel' as kind, min(valid_from) as first_from from approved_travel
    union all
    select 'networks' as kind, min(valid_from) as first_from from networks
    union all
    select 'holidays' as kind, min(valid_from) as first_from from holidays

),

delivered as (

    select
        substr(source_id, length('reference:') + 1) as kind,
        file_id,
        n_rows,
        taken_in_at,
        row_number() over (partition by source_id order by taken_in_at desc, file_id desc) as age
    from lake.intake_files
    where source_id like 'reference:%'

),

counted as (

    select
        kind,
        count(*) as n_deliveries,
        cast(sum(n_rows) as bigint) as n_rows,
        max(taken_in_at) as last_delivered_at,
        max(case when age = 1 then file_id end) as last_file_id
    from delivered
    group by kind

),

available as (

    select
        counted.kind,
        counted.n_deliveries,
        counted.n_rows,
        nullif(begins.first_from, date '0001-01-01') as first_from,
        counted.last_delivered_at,
        counted.last_file_id
    from counted
    inner join begins on counted.kind = begins.kind

)

select * from available
