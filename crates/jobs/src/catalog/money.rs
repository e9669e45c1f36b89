//! The summary tables of money in words.

use super::Description;

pub(super) const MONEY: &[Description] = &[
    Description {
        name: "revenue_metrics",
        about: "Money and subscriptions by plan, in the reporting currency.",
        grain: "a day and a plan",
        columns: &[
            ("date", "the UTC day"),
            (
                "subscription_plan",
                "a plan, `one_off` for what is bought once, or `all`",
            ),
            ("new_subscriptions", "initial payments"),
            ("renewed_subscriptions", "renewal payments"),
            ("canceled_subscriptions", "wishes not to renew, trials included"),
            ("churned_subscriptions", "ends of subscriptions that were ever paid"),
            ("active_at_start", "paid subscriptions running when the day began"),
            ("active_at_end", "paid subscriptions running when it ended"),
            ("gross_revenue", "money paid on the day, later refunds included"),
            ("refunds", "money given back on the day"),
            ("total_revenue", "money: `gross_revenue - refunds`"),
            (
                "monthly_recurring_revenue",
                "money a month, of what runs at the day's end: a balance, never to be summed",
            ),
            ("annual_recurring_revenue", "money a year: 12 times that"),
            (
                "customer_lifetime_value",
                "money: revenue a subscriber over the churn of 180 days; \
                                         null before 28 days of history, and when nothing churned",
            ),
            (
                "churn_rate",
                "per cent: `churned_subscriptions / active_at_start`; null when nothing ran",
            ),
            ("is_partial", "the day was not over, or not all of it was read"),
        ],
    },
    Description {
        name: "mrr_movements_daily",
        about: "How monthly recurring revenue moved, user by user. Always \
                `opening_mrr + new + reactivation + expansion - contraction - churn = closing_mrr`.",
        grain: "a day",
        columns: &[
            ("date", "the UTC day"),
            ("opening_mrr", "money a month, when the day began"),
            ("new", "money a month, of users who never had any"),
            (
                "reactivation",
                "money a month, of users who had none, and had some before",
            ),
            ("expansion", "money a month more, of users who had some"),
            ("contraction", "money a month less, of users who keep some"),
            ("churn", "money a month, of users who have none any more"),
            ("closing_mrr", "money a month, when the day ended"),
        ],
    },
];
