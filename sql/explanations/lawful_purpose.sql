with

purposeful as (

    select asked_accesses.access_id, 'lawful_purpose' as reason, lawful_purposes.strength
    from asked_accesses
    inner join lawful_purposes on lower(trim(asked_accesses.purpose)) = lawful_purposes.purpose
    union all
    select asked_accesses.access_id, 'lawful_purpose' as reason, 1 as strength
    from asked_accesses
    inner join roles
        on asked_accesses.role = roles.role
        and asked_accesses.local_date >= roles.valid_from
        and asked_accesses.local_date < roles.valid_to
    where roles.mandate in ('quality', 'education')

)

select * from purposeful
