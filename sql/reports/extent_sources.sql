with

seen as (

    select
        asked_accesses.source_id, asked_accesses.patient_id, asked_accesses.recorded_at,
        unexplained_accesses.access_id is not null as is_unexplained
    from asked_accesses
    left join unexplained_accesses on asked_accesses.access_id = unexplained_accesses.access_id
    where
        asked_accesses.is_access and asked_accesses.patient_id is not null
        and not asked_accesses.is_patient_unresolved

),

counted as (

    select
        source_id,
        count(distinct patient_id) as n_patients,
        count(distinct case when is_unexplained then patient_id end) as n_unexplained_patients,
        count(*) as n_accesses,
        count(*) filter (where is_unexplained) as n_unexplained,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at
    from seen
    group by source_id

)

select * from counted order by source_id
