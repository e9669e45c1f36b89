//! Events on their way into a batch, and what every event goes through, whatever its source.
//!
//! - Without user and anonymous id nobody did it: it is set aside. So is one whose id or name is missing, whose texts
//!   no database stores, or whose time no calendar of ours has.
//! - A time more than 24 h after the arrival is a wrong clock's: the arrival takes its place, and that is counted.
//! - Platforms are lower-cased.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use chrono::{Datelike, TimeDelta};
use kindred_model::{Fact, Instant};

use super::arrivals::ArrivalBatch;
use super::properties::Kept;
use super::rejected::Rejected;
use super::scalar::Reason;
use crate::contract::fact_schema;

/// How far a device's clock may be ahead of the arrival.
const CLOCK_AHEAD: TimeDelta = TimeDelta::hours(24);

/// Bytes that an id, a name or another text of an event may have: all of them can stand in an index of PostgreSQL.
const LONGEST_TEXT: usize = 512;

/// Bytes of text after which a batch is full, however few rows it has.
const FULL_BYTES: usize = 8 << 20;

/// An event as its source tells it.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) user_key: Option<i64>,
    pub(super) anonymous_key: Option<i64>,
    pub(super) session_id: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    pub(super) properties: Kept,
    pub(super) event_time: Instant,
    pub(super) received_at: Instant,
    pub(super) platform: Option<Cow<'a, str>>,
    pub(super) app_version: Option<Cow<'a, str>>,
    pub(super) country: Option<Cow<'a, str>>,
}

/// The next batch.
pub(super) struct Gathering {
    batch_rows: usize,
    rows: Rows,
    findings: Findings,
}

/// What was seen on the way to the events.
#[derive(Debug, Default)]
struct Findings {
    rejected: Vec<Rejected>,
    dropped_properties: u64,
    clamped: u64,
}

#[derive(Debug, Default)]
struct Rows {
    count: usize,
    bytes: usize,
    ids: StringBuilder,
    user_keys: Int64Builder,
    anonymous_keys: Int64Builder,
    sessions: StringBuilder,
    names: StringBuilder,
    properties: StringBuilder,
    event_times: TimestampMicrosecondBuilder,
    arrivals: TimestampMicrosecondBuilder,
    platforms: StringBuilder,
    versions: StringBuilder,
    countries: StringBuilder,
}

impl Gathering {
    /// Gathers batches of so many events.
    pub(super) fn new(batch_rows: usize) -> Self {
        Self {
            batch_rows,
            rows: Rows::default(),
            findings: Findings::default(),
        }
    }

    /// Takes an event.
    ///
    /// # Errors
    /// Why it must be set aside.
    pub(super) fn add(&mut self, mut told: Told<'_>) -> Result<(), Reason> {
        if told.user_key.is_none() && told.anonymous_key.is_none() {
            return Err("it has neither a user nor an anonymous id".into());
        }
        for (column, text) in [
            ("the event's id", Some(&told.id)),
            ("the event's name", Some(&told.name)),
            ("the session's id", told.session_id.as_ref()),
            ("the platform", told.platform.as_ref()),
            ("the app's version", told.app_version.as_ref()),
            ("the country", told.country.as_ref()),
        ] {
            text.map_or(Ok(()), |text| storable(column, text))?;
        }
        for (column, at) in [("its time", told.event_time), ("its arrival", told.received_at)] {
            if !(1970..=9999).contains(&at.year()) {
                return Err(format!("{column} lies before 1970 or after 9999"));
            }
        }
        if told.event_time > told.received_at + CLOCK_AHEAD {
            told.event_time = told.received_at;
            self.findings.clamped += 1;
        }
        self.findings.dropped_properties += told.properties.dropped;
        self.rows.push(&told);
        Ok(())
    }

    /// Notes what was set aside.
    pub(super) fn reject(&mut self, rejected: Rejected) {
        self.findings.rejected.push(rejected);
    }

    /// Whether it is time to hand the events out.
    pub(super) fn is_full(&self) -> bool {
        self.rows.count >= self.batch_rows || self.rows.bytes >= FULL_BYTES
    }

    /// Whether that much was set aside that it should not be held any longer.
    pub(super) fn has_many_findings(&self) -> bool {
        self.findings.rejected.len() >= self.batch_rows
    }

    /// Hands out the events and what was found with them; none when there is neither.
    pub(super) fn take(&mut self) -> Option<ArrivalBatch> {
        let findings = std::mem::take(&mut self.findings);
        let is_empty = self.rows.count == 0
            && findings.rejected.is_empty()
            && (findings.dropped_properties, findings.clamped) == (0, 0);
        (!is_empty).then(|| ArrivalBatch {
            rejected: findings.rejected,
            dropped_properties: findings.dropped_properties,
            clamped: findings.clamped,
            events: std::mem::take(&mut self.rows).finish(),
        })
    }

    /// Hands out the events alone, and keeps what was found for later.
    pub(super) fn take_events(&mut self) -> ArrivalBatch {
        ArrivalBatch {
            events: std::mem::take(&mut self.rows).finish(),
            rejected: Vec::new(),
            dropped_properties: 0,
            clamped: 0,
        }
    }

    /// Forgets what has not been handed out: it will be read again.
    pub(super) fn forget(&mut self) {
        self.rows = Rows::default();
        self.findings = Findings::default();
    }
}

impl Rows {
    fn push(&mut self, told: &Told<'_>) {
        let properties = told.properties.json();
        self.count += 1;
        self.bytes += told.id.len() + told.name.len() + properties.len();
        self.ids.append_value(&told.id);
        self.user_keys.append_option(told.user_key);
        self.anonymous_keys.append_option(told.anonymous_key);
        self.sessions.append_option(told.session_id.as_deref());
        self.names.append_value(&told.name);
        self.properties.append_value(properties);
        self.event_times.append_value(told.event_time.timestamp_micros());
        self.arrivals.append_value(told.received_at.timestamp_micros());
        self.platforms
            .append_option(told.platform.as_ref().map(|platform| platform.trim().to_lowercase()));
        self.versions.append_option(told.app_version.as_deref());
        self.countries.append_option(told.country.as_deref());
    }

    fn finish(mut self) -> RecordBatch {
        let columns = vec![
            Arc::new(self.ids.finish()) as _,
            Arc::new(self.user_keys.finish()) as _,
            Arc::new(self.anonymous_keys.finish()) as _,
            Arc::new(self.sessions.finish()) as _,
            Arc::new(self.names.finish()) as _,
            Arc::new(self.properties.finish()) as _,
            Arc::new(self.event_times.finish().with_timezone("UTC")) as _,
            Arc::new(self.arrivals.finish().with_timezone("UTC")) as _,
            Arc::new(self.platforms.finish()) as _,
            Arc::new(self.versions.finish()) as _,
            Arc::new(self.countries.finish()) as _,
        ];
        RecordBatch::try_new(fact_schema(Fact::Events), columns).expect("the columns are the contract's")
    }
}

/// PostgreSQL stores no NUL in a text, and no long text in an index.
fn storable(column: &str, text: &str) -> Result<(), Reason> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("{column} is longer than {LONGEST_TEXT} bytes"));
    }
    if text.contains('\0') {
        return Err(format!("{column} holds a NUL character"));
    }
    Ok(())
}
