-- Staff and test accounts, which every metric leaves out.
-- implements: metrics.md 1, "Internal users"
-- reads: users
-- grain: user_key
-- parameters:

select distinct user_key
from users
where is_internal
order by user_key
