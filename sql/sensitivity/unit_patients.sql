with

opened as (

    select distinct unit_id, patient_id
    from period_accesses
    where
        is_access and patient_id is not null and not is_patient_unresolved
        and unit_id in (select unit_id from drawn_snoopers)

),

placed as (

    select
        *, row_number() over (partition by unit_id order by sha256($seed || '|' || patient_id), patient_id) as place
    from opened

),

drawn as (

    select unit_id, patient_id, place from placed where place <= $most

)

select * from drawn order by unit_id, place
