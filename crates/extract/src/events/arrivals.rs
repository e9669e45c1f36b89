//! What is read of an event source: batches of events, and afterwards how far it was read.

use arrow::array::RecordBatch;
use kindred_model::Instant;

use super::files::{EventFiles, FileEvents};
use super::mixpanel::{ExportEvents, Mixpanel};
use super::rejected::Rejected;
use super::table::TableEvents;
use super::{ArrivalRequest, Cleaning};
use crate::{ExtractError, Nulls, PostgresSource};

/// Some of the events, and what was found beside them since the batch before.
#[derive(Debug)]
pub struct ArrivalBatch {
    /// Rows of the fact `events` ([`crate::fact_schema`]); possibly none.
    pub events: RecordBatch,
    /// What could not be taken for an event.
    pub rejected: Vec<Rejected>,
    /// Properties that are not on the allow-list.
    pub dropped_properties: u64,
    /// Events whose time lay more than 24 h after their arrival, and which now have that of their arrival.
    pub clamped: u64,
}

/// The events that a request asked for, as they come.
pub struct Arrivals {
    events: Events,
    /// For the watermark.
    now: Instant,
    is_over: bool,
}

// There is one of them at a time.
#[allow(clippy::large_enum_variant)]
enum Events {
    Table(TableEvents),
    Files(FileEvents),
    Mixpanel(ExportEvents),
}

impl Arrivals {
    pub(super) async fn of_table(
        source: &PostgresSource,
        cleaning: Cleaning,
        request: &ArrivalRequest,
    ) -> Result<Self, ExtractError> {
        let events = TableEvents::open(source, cleaning, request).await?;
        Ok(Self::new(Events::Table(events), request))
    }

    pub(super) async fn of_files(
        files: &EventFiles,
        cleaning: Cleaning,
        request: &ArrivalRequest,
    ) -> Result<Self, ExtractError> {
        let events = FileEvents::open(files, cleaning, request).await?;
        Ok(Self::new(Events::Files(events), request))
    }

    pub(super) fn of_mixpanel(mixpanel: &Mixpanel, cleaning: Cleaning, request: &ArrivalRequest) -> Self {
        Self::new(
            Events::Mixpanel(ExportEvents::new(mixpanel, cleaning, request)),
            request,
        )
    }

    fn new(events: Events, request: &ArrivalRequest) -> Self {
        Self {
            events,
            now: request.now,
            is_over: false,
        }
    }

    /// The next batch; none when everything has been read. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<ArrivalBatch, ExtractError>> {
        if self.is_over {
            return None;
        }
        let next = match &mut self.events {
            Events::Table(events) => events.next().await,
            Events::Files(events) => events.next().await,
            Events::Mixpanel(events) => events.next().await,
        };
        self.is_over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }

    /// Up to where the source has been read, once [`Arrivals::next`] gave none: the next request's `since`.
    ///
    /// That is the time of asking; or the first day that Mixpanel's limit left for the next run. None when it was asked
    /// for a backfill's days alone.
    #[must_use]
    pub fn extracted_to(&self) -> Option<Instant> {
        match &self.events {
            Events::Table(_) | Events::Files(_) => Some(self.now),
            Events::Mixpanel(events) => events.extracted_to(self.now),
        }
    }

    /// The files that were read, path and version; of a table, days of arrival and their rows. Complete once
    /// [`Arrivals::next`] gave none.
    #[must_use]
    pub fn read_files(&self) -> Vec<(String, String)> {
        match &self.events {
            Events::Files(events) => events.read_files(),
            Events::Table(events) => events.read_days(),
            Events::Mixpanel(_) => Vec::new(),
        }
    }

    /// The rows of a table that were set aside for a null where none may be. Complete once [`Arrivals::next`] gave none.
    #[must_use]
    pub fn nulls(&self) -> Nulls {
        match &self.events {
            Events::Table(events) => events.nulls(),
            Events::Files(_) | Events::Mixpanel(_) => Nulls::default(),
        }
    }

    /// A hash of the names and types of the table's columns; of a form without a schema of its own, that form's name.
    #[must_use]
    pub fn schema_fingerprint(&self) -> String {
        match &self.events {
            Events::Table(events) => events.fingerprint.clone(),
            Events::Files(_) => "ndjson".to_owned(),
            Events::Mixpanel(_) => "mixpanel".to_owned(),
        }
    }

    /// How the events are read, for the record of how a file was made: the table's query, or the form's name.
    #[must_use]
    pub fn definition(&self) -> &str {
        match &self.events {
            Events::Table(events) => &events.sql,
            Events::Files(_) => "ndjson",
            Events::Mixpanel(_) => "mixpanel",
        }
    }
}

impl std::fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrivals")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
