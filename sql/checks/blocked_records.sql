with

under_blocks as (

    select
        seen.access_id, blocks.scope, blocks.scope_value, blocks.direction, blocks.named_id is null as is_unnamed,
        coalesce(blocks.named_id = case blocks.named_kind
            when 'employee' then seen.employee_id when 'unit' then seen.unit_id when 'role' then seen.role
        end, false) as is_named,
        coalesce(seen.local_date >= blocks.consent_from, false)
        and coalesce(seen.local_date < blocks.consent_to, true) as is_consented
    from period_accesses as seen
    inner join blocks
        on seen.patient_id = blocks.patient_id
        and seen.local_date >= blocks.valid_from and seen.local_date < blocks.valid_to
    where
        seen.is_access and not seen.is_patient_unresolved
        and (blocks.scope = 'record' or blocks.scope_value = case blocks.scope
            when 'unit' then seen.care_unit_id when 'area' then seen.area when 'table' then seen.table_name
        end)

),

against_blocks as (

    select distinct access_id, reason_code
    from (
        select access_id, 'blocked_' || direction as reason_code
        from under_blocks
        group by access_id, scope, scope_value, direction
        having case direction
            when 'against_named' then bool_or(is_named and not is_consented)
            when 'only_named' then not bool_or(is_named) and bool_or(not is_consented)
            else not bool_or(is_consented and (is_named or is_unnamed))
        end
    ) as each_block
    union all
    -- the log's own mark and the patient list do not say against whom: a block of the whole record does
    select access_id, 'blocked_record' as reason_code
    from period_accesses
    where
        is_access and is_blocked and patient_id is not null and not is_patient_unresolved
        and not exists (
            select 1 from under_blocks
            where under_blocks.access_id = period_accesses.access_id and under_blocks.scope = 'record'
        )

),

pairs as (

    select
        seen.employee_id, seen.patient_id, against_blocks.reason_code,
        max(seen.unit_id) as unit_id, min(seen.recorded_at) as first_at, max(seen.recorded_at) as last_at,
        count(*) as n_events, count(distinct seen.local_date) as n_days,
        count(*) filter (where seen.is_break_glass) as n_break_glass
    from period_accesses as seen
    inner join against_blocks on seen.access_id = against_blocks.access_id
    group by seen.employee_id, seen.patient_id, against_blocks.reason_code

),

findings as (

    select
        sha256(concat_ws(
            '|', 'blocked_records', reason_code, coalesce(employee_id, ''), patient_id,
            cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'blocked_records' as check_id, 'breach' as stream,
        employee_id, patient_id, unit_id, first_at, last_at, n_events,
        cast(n_events as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group,
        reason_code as reason_code,
        {'n_accesses': n_events, 'n_days': n_days, 'n_break_glass': n_break_glass} as reason_values,
        case when reason_code = 'blocked_record' or n_break_glass = n_events then 2 else 3 end as severity,
        cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from pairs

)

select * from findings order by severity desc, measure desc, employee_id, patient_id, reason_code, finding_id
