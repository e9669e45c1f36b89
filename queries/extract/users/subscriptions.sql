-- Answers:    which subscriptions started in a window, with their plan, price and ends.
-- Reads:      subscriptions, in the users database.
-- Grain:      one row per subscription.
-- Parameters: $from, $to: the window of started_at, from an instant up to, and without, another.
select
    user_id as user_key,
    id as subscription_id,
    plan,
    billing_interval,
    price,
    currency,
    status,
    started_at,
    trial_ends_at,
    canceled_at,
    ended_at
from subscriptions
where started_at >= $from
    and started_at < $to
