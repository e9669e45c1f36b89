-- Who came, came back and stayed away.
select
    {day} as date,
    count(*) filter (where t.user_id is not null and n.id is not null) as new_active,
    count(*) filter (where t.user_id is not null and n.id is null and y.user_id is not null) as returning,
    count(*) filter (where t.user_id is not null and n.id is null and y.user_id is null) as resurrected,
    count(*) filter (where t.user_id is null) as dormant,
    {end} > now() as is_partial
from today t
full join yesterday y using (user_id)
left join users n on n.id = t.user_id and n.created_at >= {start} and n.created_at < {end}
