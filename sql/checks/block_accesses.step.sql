with

seen as (

    -- attempts too, whatever came of them; searches are a check of their own
    select
        access_id, employee_id, role, patient_id, unit_id, care_unit_id, area, table_name, recorded_at, local_date,
        outcome, is_access, is_blocked, is_break_glass
    from period_accesses
    where
        not is_patient_unresolved and patient_id is not null
        and (is_blocked or patient_id in (select patient_id from blocks))
        and (is_access or (outcome in ('denied', 'failed') and action <> 'search' and not is_patient_search))

),

lent as (

    -- who works a shift at a unit, or is assigned to it that day, belongs to it, whatever the home unit
    select seen.access_id, shifts.unit_id
    from seen
    inner join shifts
        on seen.employee_id = shifts.employee_id
        and seen.recorded_at >= shifts.starts_at - $shift_tolerance_minutes * interval '1' minute
        and seen.recorded_at
            < shifts.ends_at + ($shift_tolerance_minutes + $hand_over_minutes) * interval '1' minute
        and coalesce(shifts.status, 'planned') in ('planned', 'worked')
    union
    select seen.access_id, unit_assignments.unit_id
    from seen
    inner join unit_assignments
        on seen.employee_id = unit_assignments.employee_id
        and seen.local_date >= unit_assignments.valid_from and seen.local_date < unit_assignments.valid_to

),

under_blocks as (

    select
        seen.access_id, blocks.scope, blocks.scope_value, blocks.direction, blocks.named_id is null as is_unnamed,
        coalesce(blocks.named_id = case blocks.named_kind
            when 'employee' then seen.employee_id when 'unit' then seen.unit_id when 'role' then seen.role
        end, false) or lent.access_id is not null as is_named,
        coalesce(seen.local_date >= blocks.consent_from, false)
        and coalesce(seen.local_date < blocks.consent_to, true) as is_consented
    from seen
    inner join blocks
        on seen.patient_id = blocks.patient_id
        and seen.local_date >= blocks.valid_from and seen.local_date < blocks.valid_to
    left join lent
        on seen.access_id = lent.access_id
        and case when blocks.named_kind = 'unit' then blocks.named_id end = lent.unit_id  -- else all pairs are compared
    where
        blocks.scope = 'record' or blocks.scope_value = case blocks.scope
            when 'unit' then seen.care_unit_id when 'area' then seen.area when 'table' then seen.table_name
        end

),

each_block as (

    select
        access_id, scope,
        case
            when case direction
                when 'against_named' then bool_or(is_named and not is_consented)
                when 'only_named' then not bool_or(is_named) and bool_or(not is_consented)
                else not bool_or(is_consented and (is_named or is_unnamed))
            end then 'blocked_' || direction
        end as reason_code
    from under_blocks
    group by access_id, scope, scope_value, direction
    union
    -- the log's own mark and the patient list do not say against whom: a block of the whole record does
    select access_id, 'mark' as scope, 'blocked_record' as reason_code
    from seen
    where
        is_blocked
        and not exists (
            select 1 from under_blocks
            where under_blocks.access_id = seen.access_id and under_blocks.scope = 'record'
        )

),

covered as (

    -- once for each scope that covers it; `reason_code` is empty where the block does not hold against the reader
    select seen.*, each_block.scope, each_block.reason_code
    from seen
    inner join each_block on seen.access_id = each_block.access_id

)

select * from covered
