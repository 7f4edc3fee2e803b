with

mandated as (

    -- what the patient told the carers is not what an invoice needs: there the mandate only supports another reason
    select
        asked_accesses.access_id, 'administrative_mandate' as reason,
        case when asked_accesses.area = 'journal' then 1 else 2 end as strength
    from asked_accesses
    inner join roles
        on asked_accesses.role = roles.role
        and asked_accesses.local_date >= roles.valid_from
        and asked_accesses.local_date < roles.valid_to
    where roles.mandate in ('administration', 'billing', 'archive', 'laboratory', 'system_support')

)

select * from mandated
