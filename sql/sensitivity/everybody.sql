with

everybody as (

    select patient_id from drawn_patients
    union
    select patient_id from drawn_persons
    union
    select patient_id from drawn_unit_patients

)

select * from everybody order by patient_id
