with

times as (

    select
        access_id, employee_id, patient_id, cast(local_hour - local_hour % 2 as integer) as from_hour,
        case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved

),

counted as (

    select
        day_type, from_hour, count(*) as n_accesses, count(distinct times.employee_id) as n_people,
        count(distinct times.patient_id) as n_patients, count(unexplained_accesses.access_id) as n_unexplained
    from times
    left join unexplained_accesses on times.access_id = unexplained_accesses.access_id
    group by day_type, from_hour

)

select * from counted order by day_type, from_hour
