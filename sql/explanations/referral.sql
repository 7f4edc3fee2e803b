with

asked as (

    select
        patient_id, to_unit_id, to_employee_id, valid_from,
        least(valid_to, date '9990-01-01') + $referral_days * interval '1' day as ends
    from referrals

),

referred as (

    select access_id, 'referral' as reason, 3 as strength
    from asked_accesses
    semi join asked
        on asked_accesses.patient_id = asked.patient_id
        and asked_accesses.employee_id = asked.to_employee_id
        and asked_accesses.local_date >= asked.valid_from
        and asked_accesses.local_date < asked.ends
    union all
    select access_id, 'referral' as reason, 2 as strength
    from asked_accesses
    semi join asked
        on asked_accesses.patient_id = asked.patient_id
        and asked_accesses.unit_id = asked.to_unit_id
        and asked_accesses.local_date >= asked.valid_from
        and asked_accesses.local_date < asked.ends

)

select * from referred
