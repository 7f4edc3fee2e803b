with

own as (

    select id as patient_id, identifier from identifier_periods where kind = 'patient' and not is_record
    union
    select patient_id, patient_id as identifier from patients

),

known as (

    -- a number that is the related record of a table is stored behind that table
    select id as patient_id, identifier from identifier_periods where kind = 'patient'
    union
    select own.patient_id, identifier_prefixes.prefix || own.identifier as identifier
    from own
    cross join identifier_prefixes

)

select * from known
