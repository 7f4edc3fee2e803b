with

known as (

    select id as patient_id, identifier from identifier_periods where kind = 'patient'
    union
    select patient_id, patient_id as identifier from patients

)

select * from known
