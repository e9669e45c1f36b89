//! What every run works with.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use futures::try_join;
use kindred_engine::{Engine, QueryLibrary};
use kindred_extract::{EventSource, PostgresSource};
use kindred_lake::Lake;
use kindred_model::{Clock, Source};
use kindred_warehouse::Warehouse;

use crate::error::JobError;
use crate::{FunnelSpec, Webhook};

/// Everything between the sources and the warehouse, opened once for the process.
#[derive(Debug)]
pub struct Platform {
    /// Tells the time.
    pub clock: Clock,
    /// The sources that are configured.
    pub sources: BTreeMap<Source, PostgresSource>,
    /// Where events come from.
    pub events: Option<EventSource>,
    /// Where facts and figures lie as Parquet.
    pub lake: Lake,
    /// Computes.
    pub engine: Engine,
    /// What it computes.
    pub queries: QueryLibrary,
    /// Where figures are published and runs are kept.
    pub warehouse: Warehouse,
    /// Who is told of alerts.
    pub webhook: Option<Webhook>,
    /// What an operator may set.
    pub settings: JobSettings,
}

/// With less, plans run one after the other. Each operator of all plans that may spill has an equal share of the memory:
/// with two plans at a time, one that sorts, or gathers what people did, finds its share smaller than a batch.
const ROOM_FOR_TWO: usize = 1 << 30;

impl Platform {
    /// Both answers of what computes: side by side, since while one plans, and waits for its files, the other computes;
    /// one after the other where memory is scarce.
    pub(crate) async fn both<A, B>(
        &self,
        one: impl Future<Output = Result<A, JobError>>,
        other: impl Future<Output = Result<B, JobError>>,
    ) -> Result<(A, B), JobError> {
        if self.engine.memory_limit() < ROOM_FOR_TWO {
            Ok((one.await?, other.await?))
        } else {
            try_join!(one, other)
        }
    }
}

/// What an operator may set of the jobs.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// The currency of every money figure (`REPORTING_CURRENCY`).
    pub currency: String,
    /// The first day of the facts that are not needed whole (`HISTORY_SINCE`); `None`: everything the sources have.
    pub history_since: Option<NaiveDate>,
    /// Days of events that the warehouse keeps, the current one included (`EVENTS_WAREHOUSE_DAYS`).
    pub events_warehouse_days: u64,
    /// Days of events that the lake keeps, the current one included (`EVENTS_LAKE_DAYS`); `None`: all of them.
    pub events_lake_days: Option<u64>,
    /// The funnels: onboarding, and those that are declared (`FUNNELS_FILE`).
    pub funnels: Vec<FunnelSpec>,
}

impl JobSettings {
    /// The longest window of a funnel.
    pub(crate) fn funnel_days(&self) -> u64 {
        let longest = self.funnels.iter().map(|funnel| funnel.window_days).max();
        longest.unwrap_or_default().into()
    }

    /// The first day of the events that the warehouse keeps.
    pub(crate) fn events_since(&self, today: NaiveDate) -> NaiveDate {
        today - Days::new(self.events_warehouse_days.saturating_sub(1))
    }
}
