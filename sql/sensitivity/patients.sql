with

known as (

    select distinct patient_id
    from period_accesses
    where is_access and patient_id is not null and not is_patient_unresolved

)

select patient_id from known order by sha256($seed || '|' || patient_id), patient_id limit $most
