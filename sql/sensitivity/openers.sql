with

openers as (

    -- a stranger to these patients is somebody else, of a unit where nobody opened the record in the month
    select distinct period_accesses.patient_id, period_accesses.employee_id, period_accesses.unit_id
    from period_accesses
    semi join drawn_everybody on period_accesses.patient_id = drawn_everybody.patient_id
    where period_accesses.employee_id is not null

)

select * from openers order by patient_id, employee_id, unit_id
