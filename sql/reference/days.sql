-- One kind of reference data as of each day: on a day that several rows of a key claim, the one that began last holds.
-- No day of any row is lost. The names in braces are those that sql/model/tables.yml gives.
with

repeated as (

    -- most keys have one row, which holds as it is: only the others are ranked and cut
    select {key}
    from lake.{table}
    group by {key}
    having count(*) > 1

),

alone as (

    select {columns}
    from lake.{table} as one
    anti join repeated as later on {is_same_key}
    where {holds}

),

several as (

    {latest}

),

limits as (

    -- where another row comes to hold: its first day, or the day after its last where no later row covers that
    select {key}, valid_from as starts_on from several
    union
    select {key_of_one}, one.valid_to as starts_on
    from several as one
    left join several as later
        on {is_same_key} and one.valid_from < later.valid_from
        and later.valid_from <= one.valid_to and one.valid_to < later.valid_to
    where later.valid_from is null

),

stretches as (

    select *, lead(starts_on) over (partition by {key} order by starts_on) as ends_on
    from limits

),

claimed as (

    select
        later.*,
        one.starts_on,
        one.ends_on,
        row_number() over (partition by {key_of_one}, one.starts_on order by later.valid_from desc) as claim_number
    from stretches as one
    inner join several as later
        on {is_same_key} and one.starts_on >= later.valid_from and one.starts_on < later.valid_to

),

dated as (

    select {values}, valid_from, valid_to from alone
    union all
    select {values}, starts_on as valid_from, ends_on as valid_to from claimed where claim_number = 1

)

select * from dated
