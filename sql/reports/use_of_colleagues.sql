with

asked as (

    -- an employee may be asked about as such, or as the patient whom the reference data know to be the same person
    select *, employee_id as colleague_id from use_asked where employee_id is not null
    union all
    select use_asked.*, staff.employee_id as colleague_id
    from use_asked
    inner join staff_as_patients as staff
        on use_asked.patient_id = staff.patient_id
        and use_asked.local_date >= staff.valid_from and use_asked.local_date < staff.valid_to

),

same_unit as (

    select distinct asked.sequence, asked.colleague_id
    from asked
    inner join unit_assignments as own on asked.user_employee_id = own.employee_id
    inner join unit_assignments as other
        on asked.colleague_id = other.employee_id and own.unit_id = other.unit_id
    where asked.local_date >= own.valid_from and asked.local_date < own.valid_to
        and asked.local_date >= other.valid_from and asked.local_date < other.valid_to

),

tied as (

    select
        asked.*,
        case
            when asked.colleague_id = asked.user_employee_id and asked.patient_id is not null then 'own_record'
            when asked.colleague_id = asked.user_employee_id then 'own_log'
            when same_unit.sequence is not null then 'same_unit'
            when fellows.employee_id is not null then 'fellow_user'
        end as use_tie
    from asked
    left join same_unit on asked.sequence = same_unit.sequence and asked.colleague_id = same_unit.colleague_id
    left join (select distinct employee_id from use_users) as fellows on asked.colleague_id = fellows.employee_id
    where asked.user_employee_id is not null

),

answer as (

    select
        use_tie, user_name, user_employee_id, colleague_id as employee_id, patient_id,
        count(distinct sequence) as n_questions,
        cast(coalesce(sum(n_rows), 0) as bigint) as n_rows,
        count(distinct sequence) filter (where case_number is null) as n_without_case,
        min(recorded_at) as first_at, max(recorded_at) as last_at
    from tied
    where use_tie is not null
    group by use_tie, user_name, user_employee_id, colleague_id, patient_id

)

select * from answer order by use_tie, n_questions desc, user_name, employee_id, patient_id nulls last
