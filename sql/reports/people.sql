with

listed as (

    select patient_id as person_id, name, personal_number, unit_id, valid_from
    from patients
    where $kind = 'patient'
    union all
    select employees.employee_id, employees.name, employees.personal_number, home_units.unit_id, employees.valid_from
    from employees
    left join home_units
        on employees.employee_id = home_units.employee_id
        and home_units.valid_from < employees.valid_to and home_units.valid_to > employees.valid_from
    where $kind = 'employee'

),

called as (

    -- a number is who it names: names are looked at only where it names nobody
    select person_id from listed
    where person_id = $typed or (
        length(regexp_replace($typed, '[^0-9]', '', 'g')) >= 10
        and ends_with(personal_number, regexp_replace($typed, '[^0-9]', '', 'g'))
    )
    union
    select patient_id from patient_identifiers where identifier = $typed and $kind = 'patient'
    union
    select employee_id from employee_identifiers where identifier = $typed and $kind = 'employee'

),

words as (

    select distinct word
    from (select unnest(string_split(replace(lower($typed), ',', ' '), ' ')) as word) as parts
    where word <> ''

),

named as (

    -- every word stands in one of the names that the person has had
    select listed.person_id
    from listed
    inner join words on contains(lower(listed.name), words.word)
    where not exists (select 1 from called)
    group by listed.person_id, listed.name
    having count(distinct words.word) = (select count(*) from words)

),

newest as (

    select
        listed.person_id, listed.name, listed.unit_id,
        row_number() over (
            partition by listed.person_id order by listed.valid_from desc, listed.unit_id nulls last, listed.name
        ) as place
    from listed
    semi join (select person_id from called union select person_id from named) as meant
        on listed.person_id = meant.person_id

),

found as (

    select *, count(*) over () as n_matches, row_number() over (order by name, person_id) as place
    from (
        select person_id, name, unit_id from newest where place = 1
        union all
        -- an identifier may name somebody of whom the reference data say nothing else
        select person_id, cast(null as varchar), cast(null as varchar)
        from called
        where person_id not in (select person_id from listed)
    ) as people

),

units_now as (

    select unit_id, name, row_number() over (partition by unit_id order by valid_from desc) as place from units

),

shown as (

    select found.person_id, found.name, found.unit_id, units_now.name as unit_name, found.n_matches
    from found
    left join units_now on found.unit_id = units_now.unit_id and units_now.place = 1
    where found.place <= $most_matches

)

select * from shown order by name nulls last, person_id
