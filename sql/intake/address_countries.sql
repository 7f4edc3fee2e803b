-- The country of each address of the file of which the log gives none; addresses without one are left out.
with staged as (
    select network_address from staged_accesses where country is null
    union
    select network_address from staged_authentications where country is null
),

found as (
    -- no address is longer than an IPv6 address that ends in an IPv4 one
    select network_address, country_of(network_address) as country
    from staged
    where strlen(network_address) <= 45
)

select network_address, country from found where country is not null order by network_address
