//! The clock is an argument: whoever asks for the time is handed one of these, so that a test can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use crate::Instant;

/// Tells the time: the machine's, or the one that a test has set. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Hands);

#[derive(Debug, Clone)]
enum Hands {
    System,
    /// Microseconds since the epoch.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Hands::System)
    }

    /// A clock that stands still at `at` until it is set again.
    #[must_use]
    pub fn fixed(at: Instant) -> Self {
        Self(Hands::Set(Arc::new(AtomicI64::new(at.timestamp_micros()))))
    }

    /// The time now, to the microsecond that PostgreSQL and Parquet keep.
    #[must_use]
    pub fn now(&self) -> Instant {
        let micros = match &self.0 {
            #[allow(clippy::disallowed_methods, reason = "the one place that may ask the machine")]
            Hands::System => Utc::now().timestamp_micros(),
            Hands::Set(at) => at.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).expect("any clock's microseconds are a date")
    }

    /// Sets a fixed clock, for all of its clones.
    ///
    /// # Panics
    /// When the clock is the machine's.
    pub fn set(&self, at: Instant) {
        match &self.0 {
            Hands::System => panic!("the machine's clock cannot be set"),
            Hands::Set(hands) => hands.store(at.timestamp_micros(), Ordering::SeqCst),
        }
    }
}
