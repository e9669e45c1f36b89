//! The summary tables in words. `docs/definitions.md` says more of how each figure is counted.

use super::Description;

/// The columns that every summary table ends with.
pub(super) const PROVENANCE: [(&str, &str); 2] = [
    ("run_id", "the run that last changed the row"),
    ("computed_at", "when it did"),
];

/// Without the columns of [`PROVENANCE`], and without money.
pub(super) const FIGURES: &[Description] = &[
    Description {
        name: "daily_kpi_summaries",
        about: "The key figures of the platform.",
        grain: "a day",
        columns: &[
            ("date", "the UTC day"),
            ("total_active_users", "users with a session whose span meets the day"),
            (
                "weekly_active_users",
                "users active on any of the 7 days that end with this one",
            ),
            (
                "monthly_active_users",
                "users active on any of the 30 days that end with this one",
            ),
            ("new_registrations", "accounts made on the day"),
            ("total_sessions", "sessions begun on the day"),
            (
                "avg_session_duration",
                "seconds: `session_seconds / closed_sessions`; null when none has ended",
            ),
            ("closed_sessions", "of those begun on the day, how many have ended"),
            (
                "session_seconds",
                "seconds: how long these lasted together, each 24 h at most",
            ),
            ("total_likes", "likes and super likes"),
            ("total_matches", "pairs that matched"),
            ("total_messages", "messages sent"),
            ("total_interactions", "live encounters begun: video, voice, text"),
            ("total_video_calls", "video calls begun"),
            (
                "avg_video_call_duration",
                "seconds: the mean of those that have ended; null when none has",
            ),
            ("video_call_minutes", "minutes: how long these lasted together"),
            (
                "gross_revenue",
                "money paid on the day, in the reporting currency, later refunds included",
            ),
            ("refunds", "money given back on the day"),
            ("total_revenue", "money: `gross_revenue - refunds`"),
            ("subscription_purchases", "initial payments of subscriptions"),
            ("first_subscriptions", "of these, their user's first ever"),
            (
                "active_non_subscribers",
                "active users without a paid subscription running when the day began",
            ),
            (
                "converted_non_subscribers",
                "of these, who bought their first ever subscription on the day",
            ),
            (
                "conversion_to_subscription",
                "per cent: the second of the first; null when there were none",
            ),
            (
                "user_retention_day1",
                "per cent: who registered a day ago and was active today; null: nobody registered",
            ),
            ("user_retention_day7", "the same of 7 days ago; null: nobody registered"),
            (
                "user_retention_day30",
                "the same of 30 days ago; null: nobody registered",
            ),
            ("retention_day1_cohort", "users who registered a day before this one"),
            ("retention_day7_cohort", "users who registered 7 days before this one"),
            ("retention_day30_cohort", "users who registered 30 days before this one"),
            (
                "retention_day1_returned",
                "of the first cohort, who was active on this day",
            ),
            ("retention_day7_returned", "of the second"),
            ("retention_day30_returned", "of the third"),
            ("total_reports", "reports made; null without a moderation source"),
            (
                "total_moderation_actions",
                "actions taken by moderation; null without a moderation source",
            ),
            ("is_partial", "the day was not over, or not all of it was read"),
        ],
    },
    Description {
        name: "lifecycle_daily",
        about: "Where the active users of a day come from, and who stayed away. \
                `new_active + returning + resurrected` are all active users.",
        grain: "a day",
        columns: &[
            ("date", "the UTC day"),
            ("new_active", "active, and registered on the day"),
            ("returning", "active, registered earlier, and active the day before"),
            (
                "resurrected",
                "active, registered earlier, and not active the day before",
            ),
            ("dormant", "active the day before, and not on this one"),
            ("is_partial", "the day was not over, or not all of it was read"),
        ],
    },
    Description {
        name: "segment_kpi_daily",
        about: "Key figures by platform and app version (the session's), country and gender (the user's). One user may be \
                active on two platforms: active users do not add up.",
        grain: "a day, a dimension and one of its values",
        columns: &[
            ("date", "the UTC day"),
            ("dimension", "`platform`, `country`, `app_version` or `gender`"),
            (
                "value",
                "the platform, country, version or gender; `unknown` where it is not told",
            ),
            ("active_users", "users with a session whose span meets the day"),
            (
                "new_registrations",
                "accounts made, by the platform of the registration; null for `app_version`",
            ),
            ("total_sessions", "sessions begun"),
            ("session_seconds", "seconds: how long the ended ones lasted together"),
            ("closed_sessions", "of the sessions begun, how many have ended"),
            (
                "total_messages",
                "messages by the sender's country or gender; null for `platform` and `app_version`",
            ),
            (
                "total_revenue",
                "money by the payer's country or gender; null for `platform` and `app_version`",
            ),
        ],
    },
    Description {
        name: "session_exits_daily",
        about: "How the sessions of each day ended.",
        grain: "a day and a reason",
        columns: &[
            ("date", "the UTC day on which the sessions began"),
            (
                "exit_reason",
                "the source's word; `open`: not ended yet; `unknown`: ended, and nobody says how",
            ),
            ("sessions", "how many"),
        ],
    },
    Description {
        name: "active_user_buckets",
        about: "Active users by calendar bucket. Distinct users: those of a week are not the sum of its days.",
        grain: "a granularity and a bucket",
        columns: &[
            (
                "granularity",
                "`hourly`, `daily`, `weekly` (from Monday), `monthly` or `quarterly`",
            ),
            ("bucket_start", "the bucket's first instant"),
            ("bucket_end", "the first instant after it"),
            ("active_users", "users with a session whose span meets the bucket"),
            ("new_registrations", "accounts made in it"),
            ("total_sessions", "sessions begun in it"),
            ("is_partial", "the bucket was not over, or not all of it was read"),
        ],
    },
    Description {
        name: "conversion_funnels",
        about: "Persons by the day on which they entered a funnel. A person enters once, so that days add up.",
        grain: "a day of entry, a funnel and a step",
        columns: &[
            ("date", "the UTC day of entry"),
            ("funnel_name", "`onboarding`, or one of FUNNELS_FILE"),
            ("step_order", "1 for the entry"),
            ("funnel_step", "the step's name"),
            ("total_users", "persons who reached the step within the window"),
            (
                "converted_users",
                "of these, who reached the next; null for the last step",
            ),
            (
                "conversion_rate",
                "per cent: the second of the first; null for the last step, and when nobody came",
            ),
            (
                "avg_time_to_convert",
                "seconds from this step to the next, on average; null when nobody converted",
            ),
            (
                "median_time_to_convert",
                "the same, the median; null when nobody converted",
            ),
            (
                "p90_time_to_convert",
                "the same, the 90th percentile; null when nobody converted",
            ),
            (
                "is_mature",
                "the window of everybody who entered on the day has passed: the row is final",
            ),
        ],
    },
    Description {
        name: "funnel_windows",
        about: "The same over several days of entry: percentiles do not add up, and are computed for each window.",
        grain: "a funnel, a last day of entry, a timeframe and a step",
        columns: &[
            ("funnel_name", "`onboarding`, or one of FUNNELS_FILE"),
            ("as_of", "the last day of entry"),
            ("timeframe", "`7d`, `30d` or `90d` of entry, ending with `as_of`"),
            ("step_order", "1 for the entry"),
            ("total_users", "persons who reached the step"),
            (
                "converted_users",
                "of these, who reached the next; null for the last step",
            ),
            (
                "avg_time_to_convert",
                "seconds from this step to the next, on average; null when nobody converted",
            ),
            (
                "median_time_to_convert",
                "the same, the median; null when nobody converted",
            ),
            (
                "p90_time_to_convert",
                "the same, the 90th percentile; null when nobody converted",
            ),
        ],
    },
    Description {
        name: "session_windows",
        about: "How long the sessions of the last days lasted.",
        grain: "a last day and a timeframe",
        columns: &[
            ("as_of", "the last day"),
            ("timeframe", "`7d`, `30d` or `90d`, ending with `as_of`"),
            ("sessions", "sessions begun in it that have ended"),
            ("mean_duration", "seconds; null when none has ended"),
            ("median_duration", "seconds; null when none has ended"),
            ("p90_duration", "seconds; null when none has ended"),
        ],
    },
    Description {
        name: "hourly_metrics",
        about: "What went on in each hour.",
        grain: "an hour",
        columns: &[
            ("timestamp", "the hour's first instant"),
            (
                "concurrent_users",
                "the most users who had a session open at one instant of the hour",
            ),
            ("active_users", "users with a session whose span meets the hour"),
            ("active_interactions", "live encounters whose span meets the hour"),
            (
                "queue_length",
                "the most who waited for a partner at one instant of the hour",
            ),
            ("new_users", "accounts made in it"),
            ("new_interactions", "live encounters begun in it"),
            ("new_messages", "messages sent in it"),
            ("is_partial", "the hour was not over, or not all of it was read"),
        ],
    },
    Description {
        name: "session_analytics",
        about: "What happened in each session, of all but internal users.",
        grain: "a session",
        columns: &[
            ("session_id", "the session's id in the source"),
            ("user_id", "the user key of whose it is"),
            ("session_start", "when it began"),
            ("session_end", "when it ended; null while it is open"),
            (
                "session_duration",
                "seconds, 24 h at most; null while it is open, or when it ends before it begins",
            ),
            ("screens_viewed", "screens looked at; null without telemetry"),
            ("actions_taken", "things done; null without telemetry"),
            ("matches_in_session", "the user's matches within the span"),
            ("messages_in_session", "messages that the user sent within the span"),
            ("exit_reason", "the source's word; null while it is open, or not told"),
            ("platform", "`ios`, `android` or `web`; null: not known"),
            ("app_version", "as the app told it; null: not known"),
            ("country", "where it began, ISO 3166-1 alpha-2; null: not known"),
        ],
    },
    Description {
        name: "retention_cohorts",
        about: "Who came back, week by week, by the week of registration.",
        grain: "a week of registration and a number of weeks since, 0 to 12",
        columns: &[
            ("cohort_week", "the Monday of the week of registration"),
            ("period_number", "weeks since: 0 is the week of registration"),
            ("cohort_size", "users who registered in that week"),
            (
                "users_returned",
                "of these, who was active in the period; in period 0, all by definition",
            ),
            (
                "retention_rate",
                "per cent: the second of the first; null while the period's week is open",
            ),
            (
                "avg_sessions_per_user",
                "sessions begun in the period, divided by `cohort_size`; null while it is open",
            ),
            (
                "avg_matches_per_user",
                "matches in the period, divided by `cohort_size`; null while it is open",
            ),
            (
                "avg_revenue_per_user",
                "money of the period, less refunds, by `cohort_size`; null while it is open",
            ),
            (
                "subscription_conversion_rate",
                "per cent who bought a subscription by the period's end; null while it is open",
            ),
            (
                "is_partial",
                "the period's week was not over, or not all of it was read",
            ),
        ],
    },
    Description {
        name: "behavior_rollups",
        about: "Events and persons of the 24 hours, 7, 30 and 90 days that end with an hour.",
        grain: "a timeframe, its end, an event name, a facet and one of its values",
        columns: &[
            ("timeframe", "`24h`, `7d`, `30d` or `90d`, ending with `as_of`"),
            ("as_of", "the end of the last hour whose events were read"),
            ("event_name", "what was done; `*`: anything"),
            ("facet", "`all`, `platform` or `hour`"),
            (
                "facet_value",
                "`*` for `all`, the platform (`unknown`), or the hour of the day, `00` to `23`",
            ),
            ("event_count", "how many events"),
            (
                "unique_users",
                "how many persons: a device counts as the user whom it was first seen with",
            ),
        ],
    },
];
