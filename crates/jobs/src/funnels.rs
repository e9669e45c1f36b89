//! The funnels that a run computes: onboarding, and those that an operator declares in `FUNNELS_FILE`.
//!
//! What a funnel means, `queries/funnel/` and the engine's function `funnel` say; here it is named, and handed to them
//! as parameters and as the table `funnel_steps`.

mod file;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use kindred_engine::{Params, Rows, Value};
use kindred_model::Fact;
use serde::Deserialize;

pub use file::parse;

/// The name of the funnel that every platform has.
pub const ONBOARDING: &str = "onboarding";

const SECONDS_PER_DAY: i64 = 86_400;

/// A funnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunnelSpec {
    /// Its name: lower-case letters, digits and `_`, a letter first.
    pub name: String,
    /// Its steps in order, 2 to 32 of them.
    pub steps: Vec<FunnelStep>,
    /// Days from the first step within which every other one must lie; the last instant counts.
    pub window_days: u32,
    /// When a person enters.
    pub entry: FunnelEntry,
    /// What may lie between two steps.
    pub order: FunnelOrder,
}

/// A step of a funnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunnelStep {
    /// Its name, unlike those of the funnel's other steps.
    pub name: String,
    /// The kinds of moments that fill it: any of them.
    pub kinds: Vec<FunnelKind>,
}

/// A kind of moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunnelKind {
    /// An event of this name.
    Event(String),
    /// A fact of the platform.
    Fact(FunnelFact),
}

/// A fact whose instants can fill a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunnelFact {
    /// `users.created_at`.
    Registration,
    /// `user_sessions.started_at`.
    Session,
    /// `matches.created_at`, of either user.
    Match,
    /// `messages.created_at`, of the sender.
    Message,
    /// `swipes.created_at` of likes and super likes.
    Like,
    /// `payments.paid_at` of subscription purchases.
    Purchase,
}

/// When a person enters a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunnelEntry {
    /// Once, at their first ever moment of the first step.
    #[default]
    First,
    /// On every date on which they have one; the deepest attempt begun on it counts.
    Any,
}

/// What may lie between two steps of a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunnelOrder {
    /// Anything.
    #[default]
    Ordered,
    /// Nothing.
    Strict,
}

impl FunnelFact {
    /// Every fact.
    pub const ALL: [Self; 6] = [
        Self::Registration,
        Self::Session,
        Self::Match,
        Self::Message,
        Self::Like,
        Self::Purchase,
    ];

    /// What funnels are followed through: the facts that these are instants of, and events.
    pub(crate) const READ: [Fact; 7] = [
        Fact::Users,
        Fact::UserSessions,
        Fact::Matches,
        Fact::Messages,
        Fact::Swipes,
        Fact::Payments,
        Fact::Events,
    ];

    /// Its name as a kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Session => "session",
            Self::Match => "match",
            Self::Message => "message",
            Self::Like => "like",
            Self::Purchase => "purchase",
        }
    }
}

impl fmt::Display for FunnelKind {
    /// As `state/first_moments` writes it: `event:app_open`, `registration`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(name) => write!(f, "event:{name}"),
            Self::Fact(fact) => f.write_str(fact.as_str()),
        }
    }
}

impl FunnelSpec {
    /// The funnel of metrics.md 6, from the first time that the app is opened to a subscription.
    #[must_use]
    pub fn onboarding(window_days: u32) -> Self {
        let event = |name: &str| (name.to_owned(), FunnelKind::Event(name.to_owned()));
        let fact = |name: &str, fact| (name.to_owned(), FunnelKind::Fact(fact));
        let steps = [
            event("app_open"),
            event("registration_start"),
            fact("registration_complete", FunnelFact::Registration),
            fact("first_session", FunnelFact::Session),
            fact("first_match", FunnelFact::Match),
            fact("first_message", FunnelFact::Message),
            event("subscription_view"),
            fact("subscription_purchase", FunnelFact::Purchase),
        ];
        Self {
            name: ONBOARDING.to_owned(),
            steps: steps
                .map(|(name, kind)| FunnelStep {
                    name,
                    kinds: vec![kind],
                })
                .into(),
            window_days,
            entry: FunnelEntry::First,
            order: FunnelOrder::Ordered,
        }
    }

    /// The parameters of `queries/funnel/` that say which funnel it is.
    #[must_use]
    pub fn params(&self) -> Params {
        let entry = match self.entry {
            FunnelEntry::First => "first",
            FunnelEntry::Any => "any",
        };
        let order = match self.order {
            FunnelOrder::Ordered => "ordered",
            FunnelOrder::Strict => "strict",
        };
        let steps = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        Params::default()
            .with("funnel_name", Value::Text(self.name.clone()))
            .with("facts", Value::Text(self.facts()))
            .with("entry_kinds", Value::Texts(self.entry_kinds()))
            .with("step_count", Value::Integer(steps))
            .with("followed_steps", Value::Integer(self.followed_steps()))
            .with(
                "window_seconds",
                Value::Integer(i64::from(self.window_days) * SECONDS_PER_DAY),
            )
            .with("entry", Value::Text(entry.to_owned()))
            .with("order", Value::Text(order.to_owned()))
    }

    /// The table `funnel_steps`: a row for each kind of each step.
    #[must_use]
    pub fn step_rows(&self) -> Rows {
        let rows: Vec<_> = (1..)
            .zip(&self.steps)
            .flat_map(|(order, step)| step.kinds.iter().map(move |kind| (order, &step.name, kind.to_string())))
            .collect();
        let schema = Arc::new(Schema::new(vec![
            Field::new("step_order", DataType::Int64, false),
            Field::new("funnel_step", DataType::Utf8, false),
            Field::new("kind", DataType::Utf8, false),
        ]));
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|(order, ..)| *order))),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, name, _)| name))),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|(.., kind)| kind))),
            ],
        );
        Rows {
            schema,
            batches: vec![batch.expect("the columns have their types and equal lengths")],
        }
    }

    /// What people enter by.
    fn entry_kinds(&self) -> Vec<String> {
        let kinds = self.steps.first().map(|step| &step.kinds);
        kinds.into_iter().flatten().map(ToString::to_string).collect()
    }

    /// A mask of the steps whose moments are looked for, bit 0 being step 1: all, but for a step 1 that people enter once
    /// and by what fills no other step. Their first ever moments tell of that one.
    fn followed_steps(&self) -> i64 {
        let entered_by = |kind| self.steps.first().is_some_and(|step| step.kinds.contains(kind));
        let mut others = self.steps.iter().skip(1).flat_map(|step| &step.kinds);
        let is_told = self.entry == FunnelEntry::First && self.order == FunnelOrder::Ordered;
        if is_told && !others.any(entered_by) { !1 } else { !0 }
    }

    /// The facts that must be read: of the steps whose moments are looked for. Between the steps of a strict funnel every
    /// fact counts.
    fn facts(&self) -> String {
        let told = usize::from(self.followed_steps() & 1 == 0);
        let used = |fact: &FunnelFact| {
            let mut kinds = self.steps.iter().skip(told).flat_map(|step| &step.kinds);
            self.order == FunnelOrder::Strict || kinds.any(|kind| *kind == FunnelKind::Fact(*fact))
        };
        let used = FunnelFact::ALL.into_iter().filter(used).map(FunnelFact::as_str);
        used.collect::<Vec<_>>().join(" ")
    }
}
