-- metrics.md 3, "Lifecycle".
select
    day as date,
    count(*) filter (where today and born) as new_active,
    count(*) filter (where today and not born and yesterday) as returning,
    count(*) filter (where today and not born and not yesterday) as resurrected,
    count(*) filter (where yesterday and not today) as dormant,
    ((day + 1)::timestamp at time zone 'UTC') > {as_of} as is_partial
from (
    select
        n::date as day,
        coalesce(user_id in (select user_id from oracle.presence p where p.day = n::date), false) as today,
        coalesce(user_id in (select user_id from oracle.presence p where p.day = n::date - 1), false) as yesterday,
        coalesce(user_id in (select id from oracle.people where born = n::date), false) as born
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
    left join (select distinct user_id, day from oracle.presence) seen on seen.day in (n::date, n::date - 1)
    group by n, user_id
) people
group by day
