with

together as (

    -- a reason is one bit; best is the strongest, and among equals the first by name
    select
        access_id,
        bit_or(cast(1 as bigint) << number) as mask,
        max(cast(strength as integer) * 64 + 63 - number) as best
    from found
    group by access_id

),

weighed as (

    -- two weak reasons support each other; one alone is never enough
    select access_id, mask, best, best >= 128 or bit_count(mask) >= 2 as is_enough from together

)

select * from weighed
