//! `GET /metrics`, of both servers: everything that is measured, as Prometheus reads it. Never fails: what cannot be read
//! is left out.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use tokio::time::timeout;

use super::{WELL_NAMED, gauge, register, standing};
use crate::ApiState;
use crate::problem::log;

/// How long the warehouse may take, so that the rest is told before a scraper gives up.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is measured of the process, its requests, the warehouse and the jobs
///
/// In Prometheus's text format. Without a warehouse `kindred_warehouse_up` is 0, and what would be read from it is left
/// out.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Service",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn get(State(state): State<ApiState>) -> Response {
    let seen = Registry::new();
    state.cache.tell(&seen);
    let up = gauge("kindred_warehouse_up", "Whether the warehouse can be read.");
    register(&seen, up.clone());
    match timeout(PATIENCE, state.warehouse.standing()).await {
        Ok(Ok(standing)) => {
            up.set(1);
            standing::tell(&standing, &seen);
        }
        Ok(Err(error)) => log(&error),
        Err(_) => tracing::warn!("the warehouse did not say in time how it stands"),
    }
    let mut families = state.metrics.registry.gather();
    families.extend(seen.gather());
    let mut text = String::new();
    // The text cannot fail to be written: what was gathered is well formed.
    TextEncoder::new().encode_utf8(&families, &mut text).expect(WELL_NAMED);
    ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}
