with

kinds as (

    select 'unsigned_doses' as reason_code, n_unsigned as n_found, 2 as severity, * from drug_people
    union all
    select 'partly_unsigned_doses' as reason_code, n_partly_unsigned as n_found, 2 as severity, * from drug_people
    union all
    select 'unwitnessed_waste' as reason_code, n_wasted as n_found, 2 as severity, * from drug_people
    union all
    select 'patient_gone' as reason_code, n_gone as n_found, 3 as severity, * from drug_people

),

findings as (

    -- everybody who handled controlled drugs: who stands out is worked out from all of them
    select
        sha256(concat_ws(
            '|', 'controlled_drugs', reason_code, employee_id, cast($start_at as varchar), cast($end_at as varchar)
        )) as finding_id,
        'controlled_drugs' as check_id, 'anomaly' as stream, employee_id, cast(null as varchar) as patient_id,
        unit_id, first_at, last_at, n_events, cast(n_found as decimal(18, 4)) as measure,
        cast(null as decimal(18, 4)) as expected, cast(null as decimal(19, 18)) as tail_probability,
        cast(null as varchar) as peer_group, reason_code,
        {
            'n_found': n_found, 'n_withdrawals': n_withdrawals, 'n_signings': n_signings, 'n_handled': n_handled,
            'n_slips': n_slips, 'n_shifts': n_shifts, 'n_days': n_days, 'exposure': exposure
        } as reason_values,
        severity, cast(null as varchar) as explanation_found, cast(null as varchar[]) as explanations_absent,
        cast(null as varchar[]) as explanations_not_searchable
    from kinds

)

select * from findings order by severity desc, measure desc, employee_id, reason_code
