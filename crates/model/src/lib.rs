//! The words that every layer shares: windows of time, granularities, job and dataset names, run states, the clock.
//!
//! This crate does no I/O, spawns nothing and knows no Arrow, no SQL and no HTTP. It stays the smallest crate of the
//! workspace: a word moves in when two layers must agree on it, and only then.

mod clock;
mod dataset;
mod granularity;
mod interval;
mod job;
mod timeframe;
mod tls;
mod window;

pub use clock::Clock;
pub use dataset::{Capture, Fact, Reach, Source};
pub use granularity::Granularity;
pub use interval::{EmptyInterval, Interval};
pub use job::{BackfillMode, Job, RunStatus, Trigger};
pub use timeframe::{Timeframe, TimeframeUnit};
pub use tls::{SslMode, TLS_IS_MISSING, TLS_PROVES_NOTHING, is_local};
pub use window::{DayWindow, EmptyWindow, day_end, day_start};

/// An instant, always in UTC.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// The version of the definitions in `contract/metrics.md` that the queries implement; the API answers it.
pub const DEFINITIONS_VERSION: &str = "1";

/// A word that is none of those a setting, a parameter or a column may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {what}; expected one of {}", .expected.join(", "))]
pub struct UnknownWord {
    /// What was being read, for example `granularity`.
    pub what: &'static str,
    /// The word as it was given.
    pub given: String,
    /// Every word that would have been accepted.
    pub expected: Vec<&'static str>,
}

/// Writes `as_str`, `Display`, `FromStr` and `ALL` for an enum whose values are known by one lower-case word each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$vmeta:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in the order in which it is declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands for the value in settings, tables, paths and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(given: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == given).ok_or_else(|| $crate::UnknownWord {
                    what: $what,
                    given: given.to_owned(),
                    expected: Self::ALL.iter().map(|value| value.as_str()).collect(),
                })
            }
        }
    };
}
pub(crate) use words;
