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
use std::ops::Deref;
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

use control::erasure::UserKeys;
use control::sources::Sources;
use metrics::Metrics;

/// What every handler is handed. A clone, of which each request makes several, is one count more.
#[derive(Debug, Clone)]
pub struct ApiState(Arc<Shared>);

/// What clones of the state share.
#[derive(Debug, Clone)]
pub struct Shared {
    warehouse: Warehouse,
    clock: Clock,
    schedules: Arc<BTreeMap<Job, String>>,
    sources: Arc<Sources>,
    cache: AnswerCache,
    access: Arc<Access>,
    metrics: Arc<Metrics>,
    user_keys: Option<UserKeys>,
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl ApiState {
    /// The state of a server that answers from this warehouse and tells the time by this clock. It knows no schedule
    /// and no source, keeps no answer, can erase nobody, and is open to all.
    ///
    /// The warehouse's statement timeout should be no longer than a request may take (15 s), so that a query ends with
    /// the request that asked it.
    #[must_use]
    pub fn new(warehouse: Warehouse, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            warehouse,
            clock,
            schedules: Arc::default(),
            sources: Arc::default(),
            cache: AnswerCache::new(Duration::ZERO),
            access: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            user_keys: None,
        }))
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        change(&mut shared);
        Self(Arc::new(shared))
    }

    /// Open to those alone.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        self.with(|shared| shared.access = Arc::new(access))
    }

    /// With a cache that keeps answers, which somebody must empty: [`forget_what_is_published_anew`].
    #[must_use]
    pub fn with_cache(self, cache: AnswerCache) -> Self {
        self.with(|shared| shared.cache = cache)
    }

    /// With the schedules by which this process starts jobs, as an operator wrote them.
    #[must_use]
    pub fn with_schedules(self, schedules: BTreeMap<Job, String>) -> Self {
        self.with(|shared| shared.schedules = Arc::new(schedules))
    }

    /// With what turns a user's id into the key that stands for it, so that persons can be erased.
    #[must_use]
    pub fn with_user_keys(self, key: impl Fn(&str) -> i64 + Send + Sync + 'static) -> Self {
        self.with(|shared| shared.user_keys = Some(UserKeys::by(key)))
    }

    /// With a way to look whether sources answer.
    #[must_use]
    pub fn with_sources(self, probe: impl SourceProbe) -> Self {
        self.with(|shared| shared.sources = Arc::new(Sources::looked_at_by(probe)))
    }
}
