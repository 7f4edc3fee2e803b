with

gaps as (

    -- so many patients without a reason that one more is a small share of them: the data lack the reasons
    select employee_id
    from unexplained_accesses
    group by employee_id
    having $flagged_share * count(distinct patient_id) > 1

)

select * from gaps
