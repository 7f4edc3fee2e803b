with

ended as (

    select
        uses.*, gaps.left_from,
        exists (
            select 1 from shifts
            where shifts.employee_id = uses.employee_id
                and uses.recorded_at >= shifts.starts_at - interval '1' hour
                and uses.recorded_at < shifts.ends_at + interval '1' hour
                and coalesce(shifts.status, 'planned') in ('planned', 'worked')
        ) as is_on_shift
    from period_presences as uses
    inner join employment_gaps as gaps
        on uses.employee_id = gaps.employee_id
        and uses.local_date >= gaps.left_from + cast($employment_grace_days as integer)
        and uses.local_date < gaps.left_to
    where uses.is_use

),

people as (

    select
        employee_id, left_from, max(unit_id) as unit_id,
        case when count(patient_id) = count(*) and min(patient_id) = max(patient_id) then min(patient_id) end
            as patient_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events,
        count(*) filter (where kind in ('access', 'search')) as n_accesses,
        count(*) filter (where kind not in ('access', 'search')) as n_logins,
        count(distinct patient_id) as n_patients, count(distinct local_date) as n_days,
        count(*) filter (where is_on_shift) as n_on_shift
    from ended
    group by employee_id, left_from

),

findings as (

    select
        sha256(concat_ws(
            '|', 'account_after_employment', employee_id, cast(left_from as varchar),
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'account_after_employment' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_days as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        case
            when n_on_shift = n_events then 'on_shift_after_employment'
            when n_accesses > 0 then 'opened_after_employment' else 'logged_in_after_employment'
        end as reason_code,
        {
            'n_accesses': n_accesses, 'n_patients': n_patients, 'n_logins': n_logins, 'n_days': n_days,
            'left_from': cast(left_from as varchar), 'grace_days': $employment_grace_days
        } as reason_values,
        case when n_on_shift = n_events then 1 when n_accesses > 0 then 3 else 2 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from people

)

select * from findings order by severity desc, measure desc, employee_id, first_at, finding_id
