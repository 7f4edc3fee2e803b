with

prefixes as (

    select '' as prefix
    union
    select table_name || ':' as prefix from record_tables where related = 'patient'

)

select * from prefixes
