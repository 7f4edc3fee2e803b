with

chosen as (

    -- an access_id is a hash already: its order is a draw that anyone can repeat
    select *
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved
    order by access_id
    limit $chance_pairs

),

moments as (

    -- numbered when they are few: to number all accesses of a month took longer than all reasons of the pairs
    select *, row_number() over (order by access_id) - 1 as place from chosen

),

people as (

    select patient_id, max(care_unit_id) as care_unit_id
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved
    group by patient_id

),

patients_in_order as (

    select
        patient_id, care_unit_id,
        row_number() over (order by sha256(patient_id)) - 1 as place,
        count(*) over () as n_patients
    from people

),

drawn as (

    select
        moments.* exclude (place, patient_id, care_unit_id),
        patients_in_order.patient_id, patients_in_order.care_unit_id
    from moments
    inner join patients_in_order
        on moments.place % patients_in_order.n_patients = patients_in_order.place

)

select * from drawn
