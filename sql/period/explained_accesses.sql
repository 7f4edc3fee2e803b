with

opened as (

    select access_id from period_accesses where is_access

),

explained as (

    select explained_rows.access_id, explained_rows.reason, explained_rows.strength, explained_rows.reasons
    from explained_rows
    semi join opened on explained_rows.access_id = opened.access_id

)

select * from explained
