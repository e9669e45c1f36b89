-- Answers:    which payments were made in a window, failed ones too, with their refunds.
-- Reads:      payments, in the users database.
-- Grain:      one row per payment.
-- Parameters: $from, $to: the window of paid_at, from an instant up to, and without, another.
select
    user_id as user_key,
    id as payment_id,
    subscription_id,
    kind,
    amount,
    currency,
    status,
    paid_at,
    refunded_at,
    refunded_amount
from payments
where paid_at >= $from
    and paid_at < $to
