-- The rows of one kind of reference data that hold: of a key and beginning the newest delivery's. The names in braces are
-- those that sql/model/tables.yml gives.
with

repeated as (

    -- most keys have one row: only the others need to be ranked
    select {key}
    from lake.{table}
    group by {key}
    having count(*) > 1

),

ranked as (

    select one.*, 1 as age
    from lake.{table} as one
    anti join repeated as later on {is_same_key}
    union all
    select
        one.*,
        row_number() over (
            partition by {key_of_one}, {begins} order by delivered_at desc, delivery_id desc, row_number desc
        ) as age
    from lake.{table} as one
    semi join repeated as later on {is_same_key}

),

latest as (

    select {columns}
    from ranked
    where age = 1 and {holds}

)

select * from latest
