with

known as (

    select distinct patient_id
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved

),

placed as (

    select patient_id, row_number() over (order by sha256($seed || '|' || patient_id), patient_id) as place
    from known

),

drawn as (

    select patient_id, place from placed where place <= $most

)

select * from drawn order by place
