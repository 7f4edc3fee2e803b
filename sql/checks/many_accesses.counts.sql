with

seen as (

    select
        period_accesses.employee_id, period_accesses.patient_id, period_accesses.recorded_at,
        unexplained_accesses.access_id is not null as is_unexplained,
        lag(period_accesses.recorded_at) over (
            partition by
                period_accesses.employee_id, period_accesses.patient_id, period_accesses.source_id,
                period_accesses.table_name
            order by period_accesses.recorded_at, period_accesses.event_id, period_accesses.item
        ) as previous_at
    from period_accesses
    left join unexplained_accesses on period_accesses.access_id = unexplained_accesses.access_id
    where
        period_accesses.is_access and period_accesses.employee_id is not null
        and period_accesses.patient_id is not null and not period_accesses.is_patient_unresolved

),

pairs as (

    select
        employee_id, patient_id, bool_or(is_unexplained) as is_unexplained,
        count(*) filter (
            where previous_at is null
            or date_diff('microsecond', previous_at, recorded_at) >= $opening_gap_minutes * 60000000
        ) as n_openings
    from seen
    group by employee_id, patient_id

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
