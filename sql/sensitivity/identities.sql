with

counted as (

    select
        source_id, resolved_employee_id as employee_id, employee_id as written, max(employee_name) as employee_name,
        max(role) as role, max(unit_id) as unit_id, max(network_address) as network_address,
        max(country) as country, count(*) as n_rows
    from resolved_accesses
    where
        recorded_at >= $start_at and recorded_at < $end_at
        and resolved_employee_id in (select employee_id from drawn_snoopers)
    group by source_id, resolved_employee_id, employee_id

),

placed as (

    -- a log's identifier of an employee is the one in most rows of the month
    select
        *, row_number() over (partition by source_id, employee_id order by n_rows desc, written) as place
    from counted

),

identities as (

    select source_id, employee_id, written, employee_name, role, unit_id, network_address, country
    from placed
    where place = 1

)

select * from identities order by source_id, employee_id
