with

together as (

    -- a reason is one bit; best is the strongest, and among equals the first by name
    select
        access_id,
        bit_or(cast(1 as bigint) << number) as mask,
        max(cast(strength as integer) * 64 + 63 - number) as best
    from found
    group by access_id

)

select * from together
