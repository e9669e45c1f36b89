//! The states in words: what runs keep for themselves, so that a day's work reads a day. They may change with any version.

use super::Description;

pub(super) const STATES: &[Description] = &[
    Description {
        name: "active_days",
        about: "Who was active on which day: weeks, months and retention are counted from it.",
        grain: "a user, a platform and an app version",
        columns: &[
            ("user_key", "who"),
            ("platform", "of a session that met the day; null: not known"),
            ("app_version", "of a session that met the day; null: not known"),
        ],
    },
    Description {
        name: "event_counts",
        about: "How often each identity met each event in each hour: behaviour is counted from it.",
        grain: "an identity, an event name, a platform and an hour",
        columns: &[
            ("user_key", "who, when signed in; null before that"),
            ("anonymous_key", "the key of the device; null: not told"),
            ("event_name", "what was done"),
            ("platform", "`unknown` where the event does not say"),
            ("hour", "0 to 23, UTC"),
            ("events", "how many"),
        ],
    },
    Description {
        name: "event_ids",
        about: "Where each event lies, to find the copy of one that arrives again.",
        grain: "an event",
        columns: &[
            ("id_hash", "a hash of `event_id`"),
            ("hour", "0 to 23, UTC, of the event's partition"),
        ],
    },
    Description {
        name: "aliases",
        about: "The user key that each device was first seen with.",
        grain: "a device, on the day of that event",
        columns: &[
            ("anonymous_key", "the key of the device"),
            ("user_key", "whose it is"),
            ("event_time", "when both were first seen in one event"),
            (
                "event_id",
                "that event: the lower id decides between two of one instant",
            ),
        ],
    },
    Description {
        name: "first_moments",
        about: "When each identity did each kind of thing for the first time ever: funnels are walked along it.",
        grain: "an identity and a kind, on the day of that instant",
        columns: &[
            (
                "kind",
                "`registration`, `session`, `match`, `message`, `like`, `purchase`, or `event:` and a name",
            ),
            ("user_key", "who, when signed in; null before that"),
            ("anonymous_key", "the key of the device; null: not told"),
            ("at", "the first instant"),
        ],
    },
    Description {
        name: "funnel_people",
        about: "How far each person came in each funnel.",
        grain: "a person and a funnel, on the day of entry",
        columns: &[
            ("funnel_name", "which"),
            ("person", "the key of the user, or of the device"),
            ("reached", "how many steps"),
            (
                "seconds",
                "how long each step took after the one before, in seconds; null: none but the first",
            ),
        ],
    },
];
