with

broken as (

    -- used too often to be an alarm, and too easily to be enough (Rostad and Edsberg, 2006)
    select access_id, 'break_glass' as reason, 1 as strength
    from asked_accesses
    where is_break_glass and length(trim(coalesce(purpose, ''))) >= $documented_reason_length

)

select * from broken
