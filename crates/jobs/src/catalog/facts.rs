//! The facts in words. Values in `code` are what the canonical source schema has; other sources may have others.

use super::Description;

pub(super) const FACTS: &[Description] = &[
    Description {
        name: "users",
        about: "Accounts, as they were when they were last read: closed and internal ones too.",
        grain: "an account",
        columns: &[
            ("user_key", "who: the user's key"),
            ("created_at", "when the account was made"),
            ("country", "ISO 3166-1 alpha-2; null: not known"),
            ("signup_platform", "`ios`, `android` or `web`; null: not known"),
            ("gender", "`female`, `male` or `nonbinary`; null: not told"),
            (
                "status",
                "`active`, `suspended`, `banned` or `deleted`; no figure depends on it",
            ),
            (
                "is_internal",
                "staff and test accounts: no figure counts them, on either side",
            ),
        ],
    },
    Description {
        name: "user_sessions",
        about: "Signed-in sessions of the app. Their spans are what makes a user active.",
        grain: "a session",
        columns: &[
            ("user_key", "whose"),
            (
                "session_id",
                "the session's id in the source; the same in `session_telemetry` and `session_analytics`",
            ),
            ("platform", "`ios`, `android` or `web`; null: not known"),
            ("app_version", "as the app told it; null: not known"),
            ("country", "where it began, ISO 3166-1 alpha-2; null: not known"),
            ("started_at", "when it began"),
            (
                "last_seen_at",
                "the last request seen in it: the end of the span while it is open",
            ),
            ("ended_at", "when it ended; null while it is open"),
            (
                "exit_reason",
                "`logout`, `background`, `timeout` or `crash`; null while it is open, or not told",
            ),
        ],
    },
    Description {
        name: "subscriptions",
        about: "Subscriptions, of every currency.",
        grain: "a subscription",
        columns: &[
            ("user_key", "whose"),
            ("subscription_id", "its id in the source"),
            ("plan", "such as `premium_monthly`"),
            (
                "billing_interval",
                "`week`, `month`, `quarter`, `half_year` or `year`; null: the plan's suffix tells",
            ),
            ("price", "money per billing interval, at the last reading"),
            (
                "currency",
                "ISO 4217; figures hold those of the reporting currency alone",
            ),
            ("status", "`trialing`, `active`, `past_due`, `canceled` or `expired`"),
            ("started_at", "when it began, its trial included"),
            ("trial_ends_at", "the end of the trial; null: it had none"),
            ("canceled_at", "the wish not to renew; null: never said"),
            ("ended_at", "when paid access ended; null while it lasts"),
        ],
    },
    Description {
        name: "payments",
        about: "Payments, failed ones too, with their refunds, of every currency.",
        grain: "a payment",
        columns: &[
            ("user_key", "who paid"),
            ("payment_id", "its id in the source"),
            ("subscription_id", "for which subscription; null: a one-off purchase"),
            ("kind", "`initial`, `renewal` or `one_off`"),
            ("amount", "money that was asked for"),
            (
                "currency",
                "ISO 4217; figures hold those of the reporting currency alone",
            ),
            (
                "status",
                "`succeeded`, `failed` or `refunded`: a refunded one was paid first",
            ),
            ("paid_at", "when"),
            (
                "refunded_at",
                "when it was given back; null: it was not, or the source does not say",
            ),
            (
                "refunded_amount",
                "money that was given back; null: nothing was, or all of it",
            ),
        ],
    },
    Description {
        name: "swipes",
        about: "Likes, super likes and passes.",
        grain: "a swipe",
        columns: &[
            ("user_key", "who swiped"),
            ("target_user_key", "about whom"),
            ("action", "`like`, `super_like` or `pass`"),
            ("created_at", "when"),
        ],
    },
    Description {
        name: "matches",
        about: "Mutual likes.",
        grain: "a pair",
        columns: &[
            ("match_id", "its id in the source"),
            ("user_a", "one of the two"),
            ("user_b", "the other"),
            ("created_at", "when it became mutual"),
        ],
    },
    Description {
        name: "interactions",
        about: "Live encounters of two people: video calls, voice calls, text chats.",
        grain: "an encounter",
        columns: &[
            ("interaction_id", "its id in the source"),
            ("kind", "`video`, `voice` or `text`"),
            ("initiator", "who called"),
            ("partner", "who was called"),
            ("started_at", "when it began"),
            ("ended_at", "when it ended; null while it goes on"),
            (
                "end_reason",
                "as the source tells it; null while it goes on, or not told",
            ),
        ],
    },
    Description {
        name: "matching_queue",
        about: "Who waited for a partner, from when to when.",
        grain: "a wait",
        columns: &[
            ("user_key", "who waited"),
            ("queue_id", "the wait's id in the source"),
            ("joined_at", "since when"),
            ("left_at", "until when; null while they wait"),
            ("outcome", "`matched` or `gave_up`; null while they wait, or not told"),
        ],
    },
    Description {
        name: "session_telemetry",
        about: "What the app reported about each session.",
        grain: "a session",
        columns: &[
            ("user_key", "whose"),
            ("session_id", "as in `user_sessions`"),
            ("started_at", "when the session began"),
            ("screens_viewed", "how many screens were looked at"),
            ("actions_taken", "how many things were done"),
        ],
    },
    Description {
        name: "messages",
        about: "Messages, without what they say.",
        grain: "a message",
        columns: &[
            ("message_id", "its id in the source"),
            ("sender", "who wrote"),
            ("recipient", "to whom"),
            ("kind", "`text`, `image`, `voice` or `gif`"),
            ("created_at", "when it was sent"),
        ],
    },
    Description {
        name: "reports",
        about: "Reports of one user by another. Empty without a moderation source.",
        grain: "a report",
        columns: &[
            ("id", "its id in the source"),
            ("reporter_id", "the user key of who reported"),
            ("reported_user_id", "the user key of who was reported"),
            (
                "category",
                "`spam`, `harassment`, `fake_profile`, `underage` or `other`",
            ),
            ("created_at", "when"),
            ("resolved_at", "when it was dealt with; null while it is open"),
            ("updated_at", "when the source last changed it"),
        ],
    },
    Description {
        name: "moderation_actions",
        about: "What moderation did. Empty without a moderation source.",
        grain: "an action",
        columns: &[
            ("id", "its id in the source"),
            ("user_id", "the user key of whom it was done to"),
            ("action", "`warn`, `suspend`, `ban` or `remove_content`"),
            ("automated", "whether a machine decided it"),
            ("created_at", "when"),
        ],
    },
    Description {
        name: "events",
        about: "What people did in the app, signed in or not. Each `event_id` stands once, the copy that arrived first.",
        grain: "an event",
        columns: &[
            ("event_id", "the collector's id"),
            ("user_key", "who, when signed in; null before that"),
            ("anonymous_key", "the key of the device; null: not told"),
            ("session_id", "the app's own; null: not told"),
            ("event_name", "what was done"),
            (
                "properties",
                "a JSON object, as text, of the properties that are allowed (EVENT_PROPERTIES)",
            ),
            (
                "event_time",
                "when it happened on the device; its arrival, when it claims to be a day later than that",
            ),
            ("received_at", "when it arrived"),
            ("platform", "`ios`, `android` or `web`; null: not known"),
            ("app_version", "as the app told it; null: not known"),
            ("country", "ISO 3166-1 alpha-2; null: not known"),
        ],
    },
];
