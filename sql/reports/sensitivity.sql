with

pointed as (

    -- a finding points at an incident when it names its employee, and its patient where it names one
    select
        subjects.kind, subjects.incident, findings.check_id, bool_or(findings.is_new) as is_found,
        bool_or(findings.is_new and findings.is_within_budget) as is_within_budget,
        bool_or(findings.is_without) as was_before
    from trial_findings as findings
    inner join incident_subjects as subjects
        on findings.employee_id = subjects.employee_id
        and (findings.patient_id is null or findings.patient_id = subjects.patient_id)
    group by subjects.kind, subjects.incident, findings.check_id

),

every as (

    select kind, incident, check_id, is_found, is_within_budget, was_before from pointed
    union all
    select kind, incident, '*' as check_id, bool_or(is_found), bool_or(is_within_budget), bool_or(was_before)
    from pointed
    group by kind, incident

),

counted as (

    select
        kind, check_id,
        count(*) filter (where is_found) as n_found,
        count(*) filter (where is_within_budget) as n_within_budget,
        count(*) filter (where was_before) as n_before
    from every
    group by kind, check_id

),

kinds as (

    -- of the trial that was asked for, and of no other
    select incident_kinds.place, incident_kinds.kind, incident_kinds.n_incidents, incident_kinds.n_lost
    from incident_kinds
    inner join trial
        on trial.start_at = $start_at and trial.end_at = $end_at
        and trial.seed = $seed and trial.incidents_of_kind = $incidents_of_kind

),

rows_of_page as (

    select kind, '*' as check_id from kinds
    union
    select kind, check_id from counted where n_found > 0

),

figures as (

    select
        kinds.place, kinds.kind, rows_of_page.check_id, kinds.n_incidents, kinds.n_lost,
        coalesce(counted.n_found, 0) as n_found, coalesce(counted.n_within_budget, 0) as n_within_budget,
        coalesce(counted.n_before, 0) as n_before
    from kinds
    inner join rows_of_page on kinds.kind = rows_of_page.kind
    left join counted on rows_of_page.kind = counted.kind and rows_of_page.check_id = counted.check_id
    union all
    select
        0 as place, '*' as kind, '*' as check_id, sum(kinds.n_incidents) as n_incidents, sum(kinds.n_lost) as n_lost,
        sum(coalesce(counted.n_found, 0)) as n_found, sum(coalesce(counted.n_within_budget, 0)) as n_within_budget,
        sum(coalesce(counted.n_before, 0)) as n_before
    from kinds
    left join counted on kinds.kind = counted.kind and counted.check_id = '*'

),

shares as (

    select
        place, kind, check_id, cast(n_incidents as bigint) as n_incidents, cast(n_found as bigint) as n_found,
        cast(0.000001 * cast(1000000 * n_found // nullif(n_incidents, 0) as decimal(18, 0)) as decimal(18, 6)) as share,
        cast(null as decimal(19, 18)) as lower_limit, cast(null as decimal(19, 18)) as upper_limit,
        cast(n_within_budget as bigint) as n_within_budget, cast(n_before as bigint) as n_before,
        cast(n_lost as bigint) as n_lost
    from figures

)

select * from shares order by place, check_id
