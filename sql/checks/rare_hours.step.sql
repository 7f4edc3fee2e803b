with

times as (

    select
        employee_id, coalesce(role, '') as role, coalesce(unit_type, '') as unit_type, local_hour,
        case
            when is_holiday or local_weekday = 7 then 'sunday' when local_weekday = 6 then 'saturday' else 'weekday'
        end as day_type
    from period_accesses
    where is_access and employee_id is not null and patient_id is not null and not is_patient_unresolved

),

own as (

    select employee_id, role, unit_type, day_type, local_hour, count(*) as n_own from times group by all

),

members as (

    -- each counts in its own group and in the wider ones that smaller groups are compared with
    select 1 as width, role || ' | ' || unit_type as peers, * from own where role <> '' and unit_type <> ''
    union all
    select 2 as width, role as peers, * from own where role <> ''
    union all
    select 3 as width, '*' as peers, * from own

),

theirs as (

    select width, peers, day_type, local_hour, employee_id, sum(n_own) as n_then from members group by all

),

hours_of_peers as (

    select width, peers, day_type, local_hour, sum(n_then) as n_then from theirs group by all

),

everything as (

    select width, peers, employee_id, sum(n_then) as n_peers from theirs group by width, peers, employee_id

),

peers_in_all as (

    select width, peers, sum(n_peers) as n_peers from everything group by width, peers

),

shares as (

    -- the person is left out of the peers, so that a habit of one's own is not what is usual
    select
        members.*, hours_of_peers.n_then - theirs.n_then as n_then,
        peers_in_all.n_peers - everything.n_peers as n_peers
    from members
    inner join theirs using (width, peers, day_type, local_hour, employee_id)
    inner join hours_of_peers using (width, peers, day_type, local_hour)
    inner join everything using (width, peers, employee_id)
    inner join peers_in_all using (width, peers)

),

sizes as (

    select width, peers, count(distinct employee_id) as n_people
    from members
    group by width, peers
    having count(distinct employee_id) >= 20

),

hours as (

    select
        shares.*,
        row_number() over (
            partition by employee_id, role, unit_type, day_type, local_hour order by shares.width
        ) as choice
    from shares
    inner join sizes on shares.width = sizes.width and shares.peers = sizes.peers

),

rare as (

    -- three expected at the limit: where none came, the true share is below it with a confidence of 95 %
    select employee_id, role, unit_type, day_type, local_hour
    from hours
    where choice = 1 and $rare_hour_share * n_peers >= 3 and n_then < $rare_hour_share * n_peers

)

select * from rare
