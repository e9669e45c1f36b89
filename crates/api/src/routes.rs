//! Every address of both servers.

use axum::Router;
use axum::routing::{get, post};

use crate::layers::{around, request_timeout};
use crate::{ApiState, control, kpi};

/// The KPI API.
pub fn kpi_router(state: ApiState) -> Router {
    let routes = Router::new()
        .route("/kpis/overview", get(kpi::overview::get))
        .route("/kpis/active-users", get(kpi::active_users::get))
        .route("/health", get(kpi::health::live))
        .route("/ready", get(kpi::health::ready))
        .layer(request_timeout());
    around(routes).with_state(state)
}

/// The ETL control API.
pub fn control_router(state: ApiState) -> Router {
    let routes = Router::new()
        .route("/health", get(control::health::get))
        .route("/jobs", get(control::jobs::get))
        .route("/jobs/{job}/pause", post(control::jobs::pause))
        .route("/jobs/{job}/resume", post(control::jobs::resume))
        .route("/runs", get(control::runs::get))
        .route("/runs/{id}", get(control::run::get))
        .route("/runs/{id}/cancel", post(control::cancel::post))
        .route("/backfill", post(control::backfill::post))
        .layer(request_timeout())
        // It waits as long as the caller asks, and keeps its own time.
        .route("/trigger/{job}", post(control::trigger::post));
    around(routes).with_state(state)
}
