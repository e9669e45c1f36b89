-- What the sources held at {now}: no row from after it, no end, refund or cancellation from after it either.
truncate users, user_sessions, subscriptions, payments, swipes, matches, interactions, messages, reports,
    moderation_actions;
insert into users
select id, email, username, password_hash, date_of_birth, gender, country, signup_platform, status, is_internal,
    created_at, case when updated_at < {now} then updated_at else created_at end
from truth.users where created_at < {now};
-- An open session is seen until now.
insert into user_sessions
select id, user_id, platform, app_version, country, started_at, least(last_seen_at, {now}),
    case when ended_at < {now} then ended_at end,
    case when ended_at < {now} then exit_reason end,
    case when ended_at < {now} then ended_at else least(last_seen_at, {now}) end
from truth.user_sessions where started_at < {now};
insert into subscriptions
select id, user_id, plan, billing_interval, price, currency, status, started_at, trial_ends_at,
    case when canceled_at < {now} then canceled_at end,
    case when ended_at < {now} then ended_at end,
    greatest(
        started_at,
        case when canceled_at < {now} then canceled_at end,
        case when ended_at < {now} then ended_at end
    )
from truth.subscriptions where started_at < {now};
insert into payments
select id, user_id, subscription_id, kind, amount, currency,
    case when refunded_at >= {now} then 'succeeded' else status end,
    paid_at,
    case when refunded_at < {now} then refunded_at end,
    case when refunded_at < {now} then refunded_amount end,
    case when refunded_at < {now} then refunded_at else paid_at end
from truth.payments where paid_at < {now};
insert into interactions
select id, kind, initiator_id, partner_id, started_at,
    case when ended_at < {now} then ended_at end,
    case when ended_at < {now} then end_reason end,
    case when ended_at < {now} then ended_at else started_at end
from truth.interactions where started_at < {now};
insert into reports
select id, reporter_id, reported_user_id, category, created_at,
    case when resolved_at < {now} then resolved_at end,
    case when resolved_at < {now} then resolved_at else created_at end
from truth.reports where created_at < {now};
insert into swipes select * from truth.swipes where created_at < {now};
insert into matches select * from truth.matches where created_at < {now};
insert into messages select * from truth.messages where created_at < {now};
insert into moderation_actions select * from truth.moderation_actions where created_at < {now};
