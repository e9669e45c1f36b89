//! Days and instants as a test writes them.

use chrono::NaiveDate;
use kindred_model::Instant;

/// The day written `2026-03-01`.
///
/// # Panics
/// When it is no such day.
#[must_use]
pub fn day(text: &str) -> NaiveDate {
    text.parse()
        .unwrap_or_else(|error| panic!("`{text}` is no day like 2026-03-01: {error}"))
}

/// The instant written `2026-03-01T12:30:00Z`, or `2026-03-01 12:30:00Z`.
///
/// # Panics
/// When it is no such instant.
#[must_use]
pub fn at(text: &str) -> Instant {
    text.parse()
        .unwrap_or_else(|error| panic!("`{text}` is no instant like 2026-03-01T12:30:00Z: {error}"))
}
