with

before as (

    select distinct check_id, finding_id from trial_findings where is_without

),

after as (

    select distinct check_id, finding_id, employee_id, patient_id from trial_findings where is_with

),

new as (

    select
        after.check_id, after.finding_id,
        exists (
            select 1 from incident_subjects as subjects
            where after.employee_id = subjects.employee_id
                and (after.patient_id is null or after.patient_id = subjects.patient_id)
        ) as is_of_incident
    from after
    anti join before on after.check_id = before.check_id and after.finding_id = before.finding_id

),

gone as (

    select before.check_id, count(*) as n_gone
    from before
    anti join after on before.check_id = after.check_id and before.finding_id = after.finding_id
    group by before.check_id

),

figures as (

    select
        trial_checks.check_id,
        case when trial_checks.why is null then
            (select count(*) from before where before.check_id = trial_checks.check_id)
        end as n_without,
        case when trial_checks.why is null then
            (select count(*) from new where new.check_id = trial_checks.check_id and new.is_of_incident)
        end as n_new_of_incidents,
        case when trial_checks.why is null then
            (select count(*) from new where new.check_id = trial_checks.check_id and not new.is_of_incident)
        end as n_new_of_others,
        case when trial_checks.why is null then coalesce(gone.n_gone, 0) end as n_gone,
        trial_checks.why
    from trial_checks
    left join gone on trial_checks.check_id = gone.check_id

)

select check_id, n_without, n_new_of_incidents, n_new_of_others, n_gone, why from figures order by check_id
