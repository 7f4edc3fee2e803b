with

broken as (

    -- used too often to be an alarm, and too easily to be enough (Rostad and Edsberg, 2006); a listed purpose is
    -- lawful_purpose already: one text is never two reasons
    select asked_accesses.access_id, 'break_glass' as reason, 1 as strength
    from asked_accesses
    left join lawful_purposes on lower(trim(asked_accesses.purpose)) = lawful_purposes.purpose
    where
        asked_accesses.is_break_glass and lawful_purposes.purpose is null
        and length(trim(coalesce(asked_accesses.purpose, ''))) >= $documented_reason_length

)

select * from broken
