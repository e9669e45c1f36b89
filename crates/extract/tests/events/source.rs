//! An event source of a test, and what comes out of it.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use chrono::DateTime;
use kindred_extract::{
    ArrivalBatch, ArrivalRequest, Arrivals, EventSource, EventsConfig, ExtractError, MixpanelSettings, PropertyList,
    Rejected, UserKeys, embedded_queries,
};
use kindred_model::{Instant, Source};
use kindred_testkit::at;

pub(crate) fn keys() -> UserKeys {
    UserKeys::new("correct horse battery staple").expect("the secret is long enough")
}

/// The key of an id, as [`Read::column`] tells it.
pub(crate) fn key(id: &str) -> String {
    keys().of_id(id).to_string()
}

pub(crate) fn config(address: &str) -> EventsConfig {
    EventsConfig {
        address: address.into(),
        keys: keys(),
        properties: PropertyList::default(),
        queries: embedded_queries(Source::Events),
        deadline: Duration::from_secs(30),
        batch_rows: 100,
        queue_batches: 2,
        store_options: Vec::new(),
        mixpanel: MixpanelSettings::default(),
    }
}

pub(crate) fn source(address: &str) -> EventSource {
    EventSource::new(config(address)).expect("the settings are good")
}

pub(crate) const NOW: &str = "2026-03-10T14:00:00Z";

/// Asks for everything at [`NOW`].
pub(crate) fn everything() -> ArrivalRequest {
    ArrivalRequest {
        since: None,
        now: at(NOW),
        history_since: None,
        days: None,
        reconciles: false,
        known_files: BTreeMap::new(),
    }
}

/// What came of a request.
pub(crate) struct Read {
    pub(crate) batches: Vec<ArrivalBatch>,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) extracted_to: Option<Instant>,
}

pub(crate) async fn read(source: &EventSource, request: ArrivalRequest) -> Read {
    try_read(source, request)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) async fn try_read(source: &EventSource, request: ArrivalRequest) -> Result<Read, ExtractError> {
    drain(source.open(request).await?).await
}

pub(crate) async fn drain(mut arrivals: Arrivals) -> Result<Read, ExtractError> {
    let mut batches = Vec::new();
    while let Some(batch) = arrivals.next().await {
        batches.push(batch?);
    }
    assert!(arrivals.next().await.is_none());
    Ok(Read {
        batches,
        files: arrivals.read_files(),
        extracted_to: arrivals.extracted_to(),
    })
}

impl Read {
    /// A column of all events, in their order, as texts.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let columns = self
            .batches
            .iter()
            .map(|batch| batch.events.column_by_name(name).expect("a column"));
        columns
            .flat_map(|column| (0..column.len()).map(move |row| text(column.as_ref(), row)))
            .collect()
    }

    pub(crate) fn rejected(&self) -> Vec<&Rejected> {
        self.batches.iter().flat_map(|batch| &batch.rejected).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.rejected()
            .into_iter()
            .map(|rejected| rejected.reason.as_str())
            .collect()
    }

    /// Properties dropped, and events taken at their arrival.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let sum = |of: fn(&ArrivalBatch) -> u64| self.batches.iter().map(of).sum();
        (sum(|batch| batch.dropped_properties), sum(|batch| batch.clamped))
    }
}

fn text(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".into();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            DateTime::from_timestamp_micros(micros)
                .expect("an instant")
                .to_rfc3339()
        }
        other => panic!("no event has a column of {other}"),
    }
}
