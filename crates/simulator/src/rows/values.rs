//! Values of text columns that are not made until they are written.

use std::fmt::Write as _;

use bytes::BytesMut;
use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use super::binary::Field;

/// An id in a text column.
#[derive(Clone, Copy)]
pub(crate) struct IdText(pub(crate) Uuid);

impl Field for IdText {
    fn write(&self, out: &mut BytesMut) {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut text).as_bytes());
    }
}

/// A release of the app: `4.0.0`, `4.1.0`, …
#[derive(Clone, Copy)]
pub(crate) struct AppVersion(i64);

impl AppVersion {
    /// The app is released every other week.
    const RELEASE_EVERY: TimeDelta = TimeDelta::days(14);

    /// The latest release at an instant; the first one came out before the history starts.
    pub(crate) fn released_by(start: Instant, at: Instant) -> Self {
        Self(((at - start).num_seconds() / Self::RELEASE_EVERY.num_seconds()).max(0))
    }
}

impl Field for AppVersion {
    fn write(&self, out: &mut BytesMut) {
        write!(out, "4.{}.0", self.0).expect("a buffer grows");
    }
}
