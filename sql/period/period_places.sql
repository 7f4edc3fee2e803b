with

seen as (

    select network_address, country, local_date from period_accesses
    union
    select network_address, country, local_date from period_authentications

),

within as (

    -- the smallest network that was known that day
    select
        seen.network_address, seen.country, seen.local_date, networks.kind, networks.network,
        networks.country as network_country, networks.unit_id,
        row_number() over (
            partition by seen.network_address, seen.country, seen.local_date
            order by known_addresses.bits desc, networks.network
        ) as choice
    from seen
    inner join known_addresses on seen.network_address = known_addresses.network_address
    inner join networks
        on known_addresses.network = networks.network
        and seen.local_date >= networks.valid_from and seen.local_date < networks.valid_to

),

located as (

    -- what the site says of its networks comes before what a database of addresses says; its own lie in its country
    select
        seen.network_address, seen.country as logged_country, seen.local_date, within.kind as network_kind,
        coalesce(
            within.network_country,
            case when within.kind = 'own' then site.country end,
            case when regexp_matches(upper(trim(seen.country)), '^[A-Z]{2}$') then upper(trim(seen.country)) end
        ) as country,
        case
            when within.kind in ('own', 'partner') then coalesce(units.place, within.unit_id, within.network)
        end as place
    from seen
    inner join site on true
    left join within
        on seen.network_address = within.network_address and seen.local_date = within.local_date
        and seen.country is not distinct from within.country and within.choice = 1
    left join units
        on within.unit_id = units.unit_id
        and within.local_date >= units.valid_from and within.local_date < units.valid_to

),

grouped as (

    select
        located.network_address, located.logged_country, located.local_date, located.network_kind, located.place,
        case when country_groups.country_group is distinct from 'not_a_country' then located.country end as country,
        case
            when located.country is null or country_groups.country_group = 'not_a_country' then 'unknown'
            when country_groups.country_group in ('eu', 'eea') then 'eu_eea'
            when country_groups.is_partial then 'adequate_partly'
            when country_groups.country_group = 'adequate' then 'adequate'
            else 'third'
        end as country_group
    from located
    left join country_groups
        on located.country = country_groups.country
        and located.local_date >= country_groups.valid_from and located.local_date < country_groups.valid_to

)

select * from grouped
