with

field_units as (

    -- whose patients an employee writes about are the own field of work: a mandate is not one for everybody's
    select employee_id, care_unit_id
    from period_accesses
    where is_access and action in ('write', 'sign', 'countersign') and patient_id is not null
    group by employee_id, care_unit_id
    having count(distinct patient_id) >= $mandate_patients

),

mandated as (

    select asked_accesses.*, roles.mandate
    from asked_accesses
    inner join roles
        on asked_accesses.role = roles.role
        and asked_accesses.local_date >= roles.valid_from
        and asked_accesses.local_date < roles.valid_to
    left join field_units
        on asked_accesses.employee_id = field_units.employee_id
        and asked_accesses.care_unit_id is not distinct from field_units.care_unit_id
    where
        roles.mandate in ('billing', 'archive', 'system_support')
        or (
            roles.mandate in ('administration', 'laboratory')
            and (field_units.employee_id is not null or asked_accesses.patient_id is null)
        )

),

weighed as (

    -- what the patient told the carers is not what an invoice needs: in the journal, and in a table of which the
    -- dictionary says nothing, the mandate only supports another reason
    select
        mandated.access_id, 'administrative_mandate' as reason,
        case
            when mandated.area = 'journal' then 1
            when mandated.table_name is not null and known.code is null then 1
            else 2
        end as strength
    from mandated
    left join codes as known
        on known.field = 'table_name'
        and mandated.source_id = known.source_id
        and mandated.table_name = known.code

)

select * from weighed
