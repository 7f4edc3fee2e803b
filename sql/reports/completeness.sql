with

understood as (

    select
        source_id, local_date,
        count(*) filter (where is_unknown_code) as n_unknown_codes,
        count(*) filter (where not is_confirmed and not is_unknown_code) as n_unconfirmed_codes,
        count(*) filter (where is_patient_unresolved) as n_patients_unresolved,
        count(*) filter (where is_employee_unresolved) as n_employees_unresolved,
        count(*) filter (
            where is_patient_unlisted and (select count(*) from patients) > 0
        ) as n_patients_not_in_list
    from accesses
    where recorded_at >= $start_at and recorded_at < $end_at
    group by source_id, local_date

),

missing as (

    select
        source_id, local_date, cast(sum(n_missing) as bigint) as n_missing_numbers,
        count(*) filter (where kind_of_gap = 'restart') as n_restarts
    from missing_numbers
    group by source_id, local_date

),

faults as (

    select source_id, local_date, cast(sum(n_rows) as bigint) as n_clock_faults
    from clock_faults
    group by source_id, local_date

),

quarantined as (

    -- a refused record has no time: it counts on the first day of its file, or of the period
    select
        source_id,
        cast(greatest(coalesce(first_at, taken_in_at), $start_at + interval '11' hour) + interval '1' hour as date)
            as local_date,
        cast(sum(n_quarantined) as bigint) as n_quarantined, cast(sum(n_conflicts) as bigint) as n_conflicts
    from lake.intake_files
    where coalesce(last_at, taken_in_at) >= $start_at and coalesce(first_at, taken_in_at) < $end_at
    group by 1, 2

),

listed as (

    select
        source_id, local_date, expected_rows.status, expected_rows.n_rows, expected_rows.n_expected,
        expected_rows.n_lowest, expected_rows.n_highest,
        expected_rows.status in ('silent', 'low', 'high') as is_unusual,
        coalesce(missing.n_missing_numbers, 0) as n_missing_numbers,
        coalesce(missing.n_restarts, 0) as n_restarts, coalesce(faults.n_clock_faults, 0) as n_clock_faults,
        coalesce(quarantined.n_quarantined, 0) as n_quarantined, coalesce(quarantined.n_conflicts, 0) as n_conflicts,
        expected_rows.n_odd_hours, coalesce(understood.n_unknown_codes, 0) as n_unknown_codes,
        coalesce(understood.n_unconfirmed_codes, 0) as n_unconfirmed_codes,
        coalesce(understood.n_patients_unresolved, 0) as n_patients_unresolved,
        coalesce(understood.n_employees_unresolved, 0) as n_employees_unresolved,
        coalesce(understood.n_patients_not_in_list, 0) as n_patients_not_in_list
    from expected_rows
    left join understood using (source_id, local_date) left join missing using (source_id, local_date)
    left join faults using (source_id, local_date) left join quarantined using (source_id, local_date)

)

select * from listed order by source_id, local_date
