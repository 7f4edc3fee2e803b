with

mandated as (

    -- what the patient told the carers is not what an invoice needs: in the journal, and in a table of which the
    -- dictionary says nothing, the mandate only supports another reason
    select
        asked_accesses.access_id, 'administrative_mandate' as reason,
        case
            when asked_accesses.area = 'journal' then 1
            when asked_accesses.table_name is not null and known.code is null then 1
            else 2
        end as strength
    from asked_accesses
    inner join roles
        on asked_accesses.role = roles.role
        and asked_accesses.local_date >= roles.valid_from
        and asked_accesses.local_date < roles.valid_to
    left join codes as known
        on known.field = 'table_name'
        and asked_accesses.source_id = known.source_id
        and asked_accesses.table_name = known.code
    where roles.mandate in ('administration', 'billing', 'archive', 'laboratory', 'system_support')

)

select * from mandated
