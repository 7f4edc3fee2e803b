with

counted as (

    select
        scope, outcome, count(distinct access_id) as n_accesses,
        count(distinct access_id) filter (where reason_code is not null) as n_against,
        count(distinct access_id) filter (where is_break_glass) as n_break_glass,
        count(distinct employee_id) as n_employees, count(distinct patient_id) as n_patients
    from block_accesses
    group by scope, outcome

)

select * from counted order by n_accesses desc, scope, outcome
