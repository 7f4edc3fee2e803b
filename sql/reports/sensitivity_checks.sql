with

asked as (

    select trial_checks.check_id, trial_checks.why
    from trial_checks
    inner join trial on trial.start_at = $start_at and trial.end_at = $end_at

),

pointing as (

    select
        findings.check_id, findings.finding_id, findings.is_without, findings.is_new, findings.is_gone,
        exists (
            select 1 from incident_subjects as subjects
            where findings.employee_id = subjects.employee_id
                and (findings.patient_id is null or findings.patient_id = subjects.patient_id)
        ) as is_of_incident
    from trial_findings as findings

),

figures as (

    -- a check that could not be asked has no figure, not a zero
    select
        asked.check_id,
        case when asked.why is null then count(*) filter (where pointing.is_without) end as n_without,
        case when asked.why is null then
            count(*) filter (where pointing.is_new and pointing.is_of_incident)
        end as n_new_of_incidents,
        case when asked.why is null then
            count(*) filter (where pointing.is_new and not pointing.is_of_incident)
        end as n_new_of_others,
        case when asked.why is null then count(*) filter (where pointing.is_gone) end as n_gone,
        asked.why
    from asked
    left join pointing on asked.check_id = pointing.check_id
    group by asked.check_id, asked.why

)

select * from figures order by check_id
