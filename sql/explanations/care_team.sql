with

members as (

    select access_id, 'care_team' as reason, 3 as strength
    from asked_accesses
    semi join care_teams
        on asked_accesses.patient_id = care_teams.patient_id
        and asked_accesses.employee_id = care_teams.employee_id
        and asked_accesses.local_date >= care_teams.valid_from
        and asked_accesses.local_date < care_teams.valid_to
    union all
    select access_id, 'care_team' as reason, 2 as strength
    from asked_accesses
    semi join care_teams
        on asked_accesses.patient_id = care_teams.patient_id
        and asked_accesses.unit_id = care_teams.unit_id
        and care_teams.employee_id is null
        and asked_accesses.local_date >= care_teams.valid_from
        and asked_accesses.local_date < care_teams.valid_to

)

select * from members
