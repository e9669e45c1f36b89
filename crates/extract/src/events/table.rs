//! The table `behavior_events` of a PostgreSQL database, read by ConnectorX like every other fact, and cleaned.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::DateTime;
use kindred_model::{Fact, Instant};

use super::arrival_days::ArrivalDays;
use super::arrivals::ArrivalBatch;
use super::gathering::{Gathering, Told};
use super::properties::Properties;
use super::rejected::Rejected;
use super::scalar::Reason;
use super::{ArrivalRequest, Cleaning, line};
use crate::postgres::Snapshot;
use crate::{ExtractError, Nulls, PostgresSource, Rows};

/// What a set aside row is noted under.
const TABLE: &str = "behavior_events";

/// The events that arrived in some spans of time, each in the order of their arrival.
pub(super) struct TableEvents {
    snapshot: Snapshot,
    spans: std::vec::IntoIter<(Option<Instant>, Instant)>,
    rows: Option<Rows>,
    nulls: Nulls,
    counted: Vec<(String, String)>,
    pub(super) fingerprint: String,
    pub(super) sql: String,
    cleaning: Cleaning,
    gathering: Gathering,
}

impl TableEvents {
    /// Holds the table against the contract and begins to read it.
    pub(super) async fn open(
        source: &PostgresSource,
        cleaning: Cleaning,
        request: &ArrivalRequest,
    ) -> Result<Self, ExtractError> {
        let snapshot = source.open(&[Fact::Events]).await?;
        let days = ArrivalDays::of(&snapshot, request).await?;
        Ok(Self {
            fingerprint: snapshot.schema_fingerprint(Fact::Events),
            sql: snapshot.rows_sql(Fact::Events).to_owned(),
            gathering: Gathering::new(usize::MAX),
            cleaning,
            spans: days.spans.into_iter(),
            counted: days.counted,
            rows: None,
            nulls: Nulls::default(),
            snapshot,
        })
    }

    /// How many rows of each day of arrival have been read, in the form of files and their versions.
    pub(super) fn read_days(&self) -> Vec<(String, String)> {
        self.counted.clone()
    }

    /// The rows that were set aside, for a null where none may be.
    pub(super) fn nulls(&self) -> Nulls {
        let mut nulls = self.nulls.clone();
        nulls.add(self.rows.as_ref().map(Rows::nulls).unwrap_or_default());
        nulls
    }

    /// The rows of the next batch, of this span or a later one.
    async fn next_rows(&mut self) -> Result<Option<RecordBatch>, ExtractError> {
        loop {
            if let Some(rows) = &mut self.rows
                && let Some(batch) = rows.next().await
            {
                return batch.map(Some);
            }
            let Some((from, to)) = self.spans.next() else {
                return Ok(None);
            };
            self.nulls.add(self.rows.as_ref().map(Rows::nulls).unwrap_or_default());
            self.rows = Some(self.snapshot.read_arrivals(Fact::Events, from, to));
        }
    }

    /// The next batch; none when all rows have been read.
    pub(super) async fn next(&mut self) -> Result<Option<ArrivalBatch>, ExtractError> {
        let Some(batch) = self.next_rows().await? else {
            return Ok(None);
        };
        let columns = Columns::of(&batch);
        for row in 0..batch.num_rows() {
            let id = columns.ids.value(row);
            if let Err(reason) = columns
                .row(row, &self.cleaning)
                .and_then(|told| self.gathering.add(told))
            {
                self.gathering.reject(Rejected {
                    file: TABLE.to_owned(),
                    offset: None,
                    length: None,
                    hash: blake3::hash(id.as_bytes()).to_hex().to_string(),
                    reason,
                });
            }
        }
        Ok(self.gathering.take())
    }
}

/// The columns of a batch of the table, in the order of the contract.
struct Columns<'a> {
    ids: &'a StringArray,
    user_keys: &'a Int64Array,
    anonymous_keys: &'a Int64Array,
    sessions: &'a StringArray,
    names: &'a StringArray,
    properties: &'a StringArray,
    event_times: &'a TimestampMicrosecondArray,
    arrivals: &'a TimestampMicrosecondArray,
    platforms: &'a StringArray,
    versions: &'a StringArray,
    countries: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        let text = |column: usize| batch.column(column).as_string();
        let key = |column: usize| batch.column(column).as_primitive::<Int64Type>();
        let instant = |column: usize| batch.column(column).as_primitive::<TimestampMicrosecondType>();
        Self {
            ids: text(0),
            user_keys: key(1),
            anonymous_keys: key(2),
            sessions: text(3),
            names: text(4),
            properties: text(5),
            event_times: instant(6),
            arrivals: instant(7),
            platforms: text(8),
            versions: text(9),
            countries: text(10),
        }
    }

    fn row(&self, row: usize, cleaning: &Cleaning) -> Result<Told<'a>, Reason> {
        let text = |column: &'a StringArray| {
            let text = column.is_valid(row).then(|| column.value(row))?;
            (!text.trim().is_empty()).then_some(text.into())
        };
        let key = |column: &Int64Array| column.is_valid(row).then(|| column.value(row));
        let instant = |column: &TimestampMicrosecondArray| -> Result<Instant, Reason> {
            DateTime::from_timestamp_micros(column.value(row))
                .ok_or_else(|| "it has an instant that no calendar has".into())
        };
        Ok(Told {
            id: text(self.ids).ok_or("event_id is blank")?,
            user_key: key(self.user_keys),
            anonymous_key: key(self.anonymous_keys),
            session_id: text(self.sessions),
            name: text(self.names).ok_or("event_name is blank")?,
            properties: line::read(self.properties.value(row).as_bytes(), Properties(cleaning))?,
            event_time: instant(self.event_times)?,
            received_at: instant(self.arrivals)?,
            platform: text(self.platforms),
            app_version: text(self.versions),
            country: text(self.countries),
        })
    }
}
