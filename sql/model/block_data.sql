with

known as (

    -- what a search for a blocked patient can be known by; no row means that nothing says which patients are blocked
    select codes.source_id, codes.code
    from codes
    inner join lake.intake_files on codes.source_id = intake_files.source_id
    where codes.follows = 'blocked_search'
    union
    select 'reference:patients' as source_id, 'blocked_from' as code from patients where blocked_from is not null
    union
    select 'reference:blocks' as source_id, scope as code from blocks

)

select * from known
