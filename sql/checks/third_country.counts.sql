with

uses as (

    select
        presences.*,
        presences.is_use and travel.employee_id is not null as is_approved
    from period_presences as presences
    left join approved_travel as travel
        on presences.employee_id = travel.employee_id and presences.country = travel.country
        and presences.local_date >= travel.valid_from and presences.local_date < travel.valid_to

),

counted as (

    select
        country_group, coalesce(country, '-') as country,
        count(*) filter (where is_use and kind in ('access', 'search')) as n_accesses,
        count(distinct patient_id) as n_patients,
        count(*) filter (where kind = 'login') as n_logins,
        count(*) filter (where kind in ('attempt', 'failure', 'lockout')) as n_refused,
        count(distinct employee_id) as n_people,
        count(*) filter (where is_approved and country_group not in ('eu_eea', 'unknown')) as n_approved,
        count(*) as n_rows
    from uses
    group by country_group, coalesce(country, '-')

),

shares as (

    select
        country_group, country, n_accesses, n_patients, n_logins, n_refused, n_people, n_approved, n_rows,
        cast(round(cast(n_rows as decimal(18, 6)) / sum(n_rows) over (), 6) as decimal(9, 6)) as share
    from counted

)

select * from shares order by country_group, n_rows desc, country
