//! Both HTTP servers, on the warehouse alone: the KPI API answers from summary rows, the ETL control API asks for runs
//! and waits for them.
//!
//! Nothing here computes from raw rows, runs a job or reads the environment. An address is a file: `GET /kpis/overview`
//! is `kpi/overview.rs`; all addresses stand in `routes.rs`. Numbers are rounded once, in `figure.rs`, and
//! every error leaves as the same problem document, of `problem.rs`.

mod control;
mod figure;
mod kpi;
mod layers;
mod meta;
mod params;
mod problem;
mod routes;
mod serve;
mod timestamp;
mod window;

use kindred_model::Clock;
use kindred_warehouse::Warehouse;

pub use routes::{control_router, kpi_router};
pub use serve::serve;

/// What every handler is handed. Clones share the warehouse's pool.
#[derive(Debug, Clone)]
pub struct ApiState {
    warehouse: Warehouse,
    clock: Clock,
}

impl ApiState {
    /// The state of a server that answers from this warehouse and tells the time by this clock.
    ///
    /// The warehouse's statement timeout should be no longer than a request may take (15 s), so that a query ends with
    /// the request that asked it.
    #[must_use]
    pub fn new(warehouse: Warehouse, clock: Clock) -> Self {
        Self { warehouse, clock }
    }
}
