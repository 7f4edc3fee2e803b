with

pointed as (

    -- a finding points at an incident when it names its employee, and its patient where it names one
    select
        subjects.kind, subjects.incident, findings.check_id,
        bool_or(findings.is_with and before.finding_id is null) as is_found,
        bool_or(findings.is_with and before.finding_id is null and findings.is_within_budget) as is_within_budget,
        bool_or(findings.is_without) as was_before
    from trial_findings as findings
    inner join incident_subjects as subjects
        on findings.employee_id = subjects.employee_id
        and (findings.patient_id is null or findings.patient_id = subjects.patient_id)
    left join (select distinct finding_id from trial_findings where is_without) as before
        on findings.finding_id = before.finding_id
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

rows_of_page as (

    select kind, '*' as check_id from incident_kinds
    union
    select kind, check_id from counted where n_found > 0

),

figures as (

    select
        kinds.place, rows_of_page.kind, rows_of_page.check_id, kinds.n_incidents,
        coalesce(counted.n_found, 0) as n_found, coalesce(counted.n_within_budget, 0) as n_within_budget,
        coalesce(counted.n_before, 0) as n_before
    from rows_of_page
    inner join incident_kinds as kinds on rows_of_page.kind = kinds.kind
    left join counted on rows_of_page.kind = counted.kind and rows_of_page.check_id = counted.check_id

),

with_all as (

    select * from figures
    union all
    select
        0 as place, '*' as kind, '*' as check_id, cast(sum(n_incidents) as bigint), cast(sum(n_found) as bigint),
        cast(sum(n_within_budget) as bigint), cast(sum(n_before) as bigint)
    from figures
    where check_id = '*'

)

select
    kind, check_id, n_incidents, n_found,
    cast(n_found as decimal(18, 6)) / nullif(n_incidents, 0) as share,
    cast(null as decimal(19, 18)) as lower_limit, cast(null as decimal(19, 18)) as upper_limit,
    n_within_budget, n_before
from with_all
order by place, case when check_id = '*' then 0 else 1 end, check_id
