with

abroad as (

    select uses.*
    from period_presences as uses
    anti join approved_travel as travel
        on uses.employee_id = travel.employee_id and uses.country = travel.country
        and uses.local_date >= travel.valid_from and uses.local_date < travel.valid_to
    where uses.is_use and uses.country_group in ('third', 'adequate', 'adequate_partly')

),

several as (
    select employee_id from period_presences
    where is_use and country is not null and coalesce(network_kind, 'own') in ('own', 'partner')
    group by employee_id having min(country) <> max(country)
),

followed as (

    -- the way out of a private network, of a provider or of the mobile net does not say where the person is
    select
        uses.*, lag(country) over person as previous_country, lag(recorded_at) over person as previous_at,
        lag(network_kind) over person as previous_kind
    from period_presences as uses
    semi join several on uses.employee_id = several.employee_id
    where is_use and country is not null and coalesce(network_kind, 'own') in ('own', 'partner')
    window person as (partition by uses.employee_id order by recorded_at, source_id, event_id, item)

),

impossible as (

    -- an approved traveller's telephone may still use the net at home
    select followed.*
    from followed
    anti join country_neighbours as near
        on followed.country = near.country and followed.previous_country = near.neighbour
    anti join approved_travel as travel
        on followed.employee_id = travel.employee_id and travel.country in (followed.country, followed.previous_country)
        and followed.local_date >= travel.valid_from and followed.local_date < travel.valid_to
        and coalesce(followed.network_kind, followed.previous_kind) is null
    where
        followed.country <> followed.previous_country
        and followed.recorded_at < followed.previous_at + $impossible_travel_hours * interval '1' hour

),

subjects as (

    select
        employee_id, country_group as reason_code, country, max(unit_id) as unit_id,
        case when count(patient_id) = count(*) and min(patient_id) = max(patient_id) then min(patient_id) end
            as patient_id,
        min(recorded_at) as first_at, max(recorded_at) as last_at, count(*) as n_events,
        count(*) filter (where kind in ('access', 'search')) as n_accesses,
        count(*) filter (where kind = 'login') as n_logins, count(distinct patient_id) as n_patients,
        count(distinct local_date) as n_days, 0 as n_minutes
    from abroad
    group by employee_id, country_group, country
    union all
    select
        employee_id, 'impossible_travel' as reason_code, min(previous_country || ' - ' || country) as country,
        max(unit_id) as unit_id, null as patient_id, min(previous_at) as first_at, max(recorded_at) as last_at,
        count(*) as n_events, 0 as n_accesses, 0 as n_logins, 0 as n_patients, count(distinct local_date) as n_days,
        min(date_diff('minute', previous_at, recorded_at)) as n_minutes
    from impossible
    group by employee_id

),

findings as (

    select
        sha256(concat_ws(
            '|', 'third_country', coalesce(employee_id, ''), reason_code,
            case when reason_code = 'impossible_travel' then '' else country end,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'third_country' as check_id,  -- a log-in alone where an adequacy decision covers everybody is a task
        case when reason_code = 'adequate' and n_accesses = 0 then 'targeted' else 'breach' end as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events, cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, reason_code,
        {
            'country': country, 'n_accesses': n_accesses, 'n_logins': n_logins, 'n_patients': n_patients,
            'n_days': n_days, 'n_times': n_events, 'n_minutes': n_minutes
        } as reason_values,
        case
            when reason_code = 'impossible_travel' or (reason_code = 'third' and n_accesses > 0) then 3
            when reason_code = 'adequate' then 1 else 2
        end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from subjects

)

select * from findings order by severity desc, measure desc, employee_id, reason_code, finding_id
