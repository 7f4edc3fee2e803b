with

flags as (

    select patient_id, flag <> 'sensitive' as is_protected, valid_from, valid_to
    from patient_flags
    where flag <> 'deceased'

),

seen as (

    select
        unexplained_accesses.access_id, unexplained_accesses.employee_id, unexplained_accesses.patient_id,
        unexplained_accesses.source_id, unexplained_accesses.table_name, unexplained_accesses.recorded_at,
        unexplained_accesses.event_id, unexplained_accesses.item, unexplained_accesses.local_date,
        max(unexplained_accesses.unit_id) as unit_id, bool_or(flags.is_protected) as is_protected
    from unexplained_accesses
    inner join flags
        on unexplained_accesses.patient_id = flags.patient_id
        and unexplained_accesses.local_date >= flags.valid_from and unexplained_accesses.local_date < flags.valid_to
    group by
        unexplained_accesses.access_id, unexplained_accesses.employee_id, unexplained_accesses.patient_id,
        unexplained_accesses.source_id, unexplained_accesses.table_name, unexplained_accesses.recorded_at,
        unexplained_accesses.event_id, unexplained_accesses.item, unexplained_accesses.local_date

),

followed as (

    select
        *,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name order by recorded_at, event_id, item
        ) as previous_at
    from seen

),

everybody as (

    select employee_id, count(distinct patient_id) as n_unexplained from unexplained_accesses group by employee_id

),

people as (

    select
        employee_id, max(unit_id) as unit_id, min(recorded_at) as first_at, max(recorded_at) as last_at,
        case when min(patient_id) = max(patient_id) then min(patient_id) end as patient_id,
        count(*) as n_events, count(distinct local_date) as n_days,
        count(*) filter (
            where previous_at is null
            or date_diff('microsecond', previous_at, recorded_at) >= $opening_gap_minutes * 60000000
        ) as n_openings,
        count(distinct patient_id) as n_patients,
        count(distinct patient_id) filter (where is_protected) as n_protected,
        count(distinct patient_id) filter (where not is_protected) as n_sensitive
    from followed
    group by employee_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'protected_persons', people.employee_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'protected_persons' as check_id,
        -- one patient on one day, or few among many without a reason, is as often a reason that the data lack
        case
            when (n_days >= $alert_days or n_patients >= $alert_days)
                and n_patients >= $flagged_share * coalesce(n_unexplained, 0)
                then 'breach'
            else 'targeted'
        end as stream,
        people.employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_patients as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case when n_protected >= $minimum_protected_patients then 'protected' else 'sensitive' end as reason_code,
        {
            'n_openings': n_openings, 'n_patients': n_patients, 'n_protected': n_protected,
            'n_sensitive': n_sensitive, 'n_days': n_days
        } as reason_values,
        case when n_protected >= $minimum_protected_patients then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people
    left join everybody on people.employee_id = everybody.employee_id
    where 
        n_protected >= $minimum_protected_patients or n_sensitive >= $minimum_sensitive_patients
        or n_openings >= $minimum_sensitive_openings

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
