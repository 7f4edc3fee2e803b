-- The rows of one kind of reference data that hold: of a key and beginning the newest delivery's. The names in braces are
-- those that sql/model/tables.yml gives.
with

ranked as (

    select
        *,
        row_number() over (
            partition by {key}, {begins} order by delivered_at desc, delivery_id desc, row_number desc
        ) as age
    from {rows}

),

latest as (

    select {columns}
    from ranked
    where age = 1 and {holds}

)

select * from latest
