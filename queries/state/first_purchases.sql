-- Each user's first ever subscription purchase.
-- implements: metrics.md 4, "Subscription purchase"
-- reads: payments, internal_users
-- grain: user_key
-- parameters: currency

select p.user_key, min(p.paid_at) as paid_at
from payments p
left anti join internal_users i on i.user_key = p.user_key
where p.kind = 'initial' and p.status in ('succeeded', 'refunded') and p.currency = $currency
group by p.user_key
order by p.user_key
