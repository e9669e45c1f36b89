//! Both HTTP servers, on the warehouse alone: the KPI API answers from summary rows, the ETL control API asks for runs
//! and waits for them.
//!
//! Nothing here computes from raw rows, runs a job or reads the environment. An address is a file: `GET /kpis/overview`
//! is `kpi/overview.rs`; all addresses stand in `routes.rs`. Numbers are rounded once, in `figure.rs`, and
//! every error leaves as the same problem document, of `problem.rs`.

mod access;
mod answer;
mod comparison;
mod control;
mod figure;
mod kpi;
mod layers;
mod meta;
mod metrics;
mod observe;
mod openapi;
mod params;
mod problem;
mod publications;
mod routes;
mod serve;
mod timestamp;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kindred_model::{Clock, Job};
use kindred_warehouse::Warehouse;

pub use access::{Access, Role, Token};
pub use answer::AnswerCache;
pub use control::sources::{Reach, SourceProbe};
pub use publications::forget_what_is_published_anew;
pub use routes::{control_router, kpi_router, openapi};
pub use serve::serve;

use control::sources::Sources;
use metrics::Metrics;

/// What every handler is handed. Clones share it.
#[derive(Debug, Clone)]
pub struct ApiState {
    warehouse: Warehouse,
    clock: Clock,
    schedules: Arc<BTreeMap<Job, String>>,
    sources: Arc<Sources>,
    cache: AnswerCache,
    access: Arc<Access>,
    metrics: Arc<Metrics>,
}

impl ApiState {
    /// The state of a server that answers from this warehouse and tells the time by this clock. It knows no schedule
    /// and no source, keeps no answer, and is open to all.
    ///
    /// The warehouse's statement timeout should be no longer than a request may take (15 s), so that a query ends with
    /// the request that asked it.
    #[must_use]
    pub fn new(warehouse: Warehouse, clock: Clock) -> Self {
        Self {
            warehouse,
            clock,
            schedules: Arc::default(),
            sources: Arc::default(),
            cache: AnswerCache::new(Duration::ZERO),
            access: Arc::default(),
            metrics: Arc::new(Metrics::new()),
        }
    }

    /// Open to those alone.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self {
            access: Arc::new(access),
            ..self
        }
    }

    /// With a cache that keeps answers, which somebody must empty: [`forget_what_is_published_anew`].
    #[must_use]
    pub fn with_cache(self, cache: AnswerCache) -> Self {
        Self { cache, ..self }
    }

    /// With the schedules by which this process starts jobs, as an operator wrote them.
    #[must_use]
    pub fn with_schedules(self, schedules: BTreeMap<Job, String>) -> Self {
        Self {
            schedules: Arc::new(schedules),
            ..self
        }
    }

    /// With a way to look whether sources answer.
    #[must_use]
    pub fn with_sources(self, probe: impl SourceProbe) -> Self {
        Self {
            sources: Arc::new(Sources::looked_at_by(probe)),
            ..self
        }
    }
}
