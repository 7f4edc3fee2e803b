with

texts as (

    select network_address as written, lower(trim(network_address)) as address, '' as bits, false as is_network
    from period_accesses where network_address is not null
    union
    select network_address, lower(trim(network_address)), '', false
    from period_authentications where network_address is not null
    union
    select network, split_part(lower(network), '/', 1), split_part(network, '/', 2), true from networks

),

plain as (

    -- an IPv4 address written as IPv6 (RFC 4291, 2.5.5.2) is one of IPv4; what follows % names an interface
    select
        written, bits, is_network,
        regexp_replace(regexp_replace(address, '^::ffff:([0-9.]+)$', '\1'), '%.*$', '') as address
    from texts

),

parted as (

    select
        written, bits, is_network, address,
        regexp_matches(address, '^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.]|$)){4}$') as is_four,
        regexp_matches(address, '^([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?(::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?)?$')
        and address like '%:%' as is_six,
        -- each group of an IPv6 address in four digits
        regexp_replace(replace(':' || split_part(address, '::', 1), ':', ':000'), ':0{0,3}([0-9a-f]{4})', '\1', 'g')
            as head,
        regexp_replace(replace(':' || split_part(address, '::', 2), ':', ':000'), ':0{0,3}([0-9a-f]{4})', '\1', 'g')
            as tail
    from plain

),

keys as (

    -- 8 hexadecimal digits of IPv4, 32 of IPv6; what is no address has none
    select
        written, is_network, is_four, try_cast(nullif(bits, '') as integer) as bits,
        case
            when is_four then
                lpad(lower(hex(try_cast(split_part(address, '.', 1) as integer))), 2, '0')
                || lpad(lower(hex(try_cast(split_part(address, '.', 2) as integer))), 2, '0')
                || lpad(lower(hex(try_cast(split_part(address, '.', 3) as integer))), 2, '0')
                || lpad(lower(hex(try_cast(split_part(address, '.', 4) as integer))), 2, '0')
            when is_six and address not like '%::%' then head
            when is_six and length(replace(head || tail, ':000', '')) < 32 then
                replace(head, ':000', '') || repeat('0', 32 - length(replace(head || tail, ':000', '')))
                || replace(tail, ':000', '')
        end as digits
    from parted

),

networks_cut as (

    select
        written, is_four, bits, bits // 4 as n_whole, substr(digits, 1, bits // 4) as whole,
        instr('0123456789abcdef', substr(digits, bits // 4 + 1, 1)) - 1 as next_digit,
        case bits % 4 when 1 then 8 when 2 then 4 when 3 then 2 end as divisor
    from (
        select written, is_four, digits, coalesce(bits, length(digits) * 4) as bits
        from keys where is_network and length(digits) in (8, 32)
    ) as sized
    where bits between 0 and length(digits) * 4

),

prefixes as (

    -- one beginning of each length that any network has: an address is then found by equality
    select keys.written, keys.digits, keys.is_four, lengths.n_whole, substr(keys.digits, 1, lengths.n_whole) as whole
    from keys
    inner join (select distinct is_four, n_whole from networks_cut) as lengths on keys.is_four = lengths.is_four
    where not keys.is_network and length(keys.digits) in (8, 32)

),

matched as (

    select prefixes.written as network_address, networks_cut.written as network, networks_cut.bits
    from prefixes
    inner join networks_cut
        on prefixes.is_four = networks_cut.is_four and prefixes.n_whole = networks_cut.n_whole
        and prefixes.whole = networks_cut.whole
    where
        networks_cut.divisor is null
        or (instr('0123456789abcdef', substr(prefixes.digits, prefixes.n_whole + 1, 1)) - 1) // networks_cut.divisor
        = networks_cut.next_digit // networks_cut.divisor

)

select * from matched
