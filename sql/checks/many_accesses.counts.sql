with

seen as (

    -- which of several at one moment comes first changes no count
    select
        employee_id, patient_id, recorded_at,
        lag(recorded_at) over (
            partition by employee_id, patient_id, source_id, table_name order by recorded_at
        ) as previous_at
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved

),

opened as (

    select
        employee_id, patient_id,
        count(*) filter (
            where previous_at is null
            or date_diff('microsecond', previous_at, recorded_at) >= $opening_gap_minutes * 60000000
        ) as n_openings
    from seen
    group by employee_id, patient_id

),

unexplained as (

    select distinct employee_id, patient_id from unexplained_accesses

),

pairs as (

    select opened.*, unexplained.patient_id is not null as is_unexplained
    from opened
    left join unexplained
        on opened.employee_id = unexplained.employee_id and opened.patient_id = unexplained.patient_id

),

bands as (

    select * from (
        values (1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, cast(null as integer))
    ) as band (from_openings, to_openings)

),

counted as (

    select
        cast(bands.from_openings as bigint) as from_openings, cast(bands.to_openings as bigint) as to_openings,
        count(pairs.employee_id) as n_pairs,
        count(pairs.employee_id) filter (where pairs.is_unexplained) as n_unexplained_pairs,
        count(distinct pairs.employee_id) as n_people, count(distinct pairs.patient_id) as n_patients
    from bands
    left join pairs
        on pairs.n_openings >= bands.from_openings
        and (bands.to_openings is null or pairs.n_openings <= bands.to_openings)
    group by bands.from_openings, bands.to_openings

)

select * from counted order by from_openings
