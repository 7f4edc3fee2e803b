with

judged as (

    select
        followed_searches.*, coalesce(followed_searches.unit_id, '-') as home_unit_id,
        explained_rows.access_id is not null as is_explained
    from followed_searches
    left join explained_rows on followed_searches.access_id = explained_rows.access_id

),

counted as (

    select
        home_unit_id as unit_id, count(*) as n_searches, count(*) filter (where is_followed) as n_followed,
        count(*) filter (where not is_followed) as n_unopened,
        count(*) filter (where not is_followed and is_explained) as n_with_reason,
        count(*) filter (where is_followed is null) as n_not_judged,
        count(distinct employee_id) as n_employees, count(distinct patient_id) as n_patients
    from judged
    group by home_unit_id

)

select * from counted order by n_searches desc, unit_id
