with

found as (

    -- taken in but a moment ago, by a version that did not count, or before the log was known to have running numbers
    select files.source_id, files.file_id, coalesce(sources.running_number, false) as has_numbers
    from lake.intake_files as files
    left join sources on files.source_id = sources.source_id
    where
        files.n_stored > 0 and not starts_with(files.source_id, 'reference:')
        and not exists (
            select 1 from lake.hourly_counts as counts
            where counts.file_id = files.file_id and counts.has_numbers >= coalesce(sources.running_number, false)
        )

)

select * from found
