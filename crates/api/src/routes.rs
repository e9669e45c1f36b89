//! Every address of both servers, and whose role may call it. An address is a file: `GET /kpis/overview` is
//! `kpi/overview.rs`.

use std::sync::Arc;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, Guarded, Role};
use crate::layers::{around, request_timeout};
use crate::observe::Observer;
use crate::openapi::{completed, document, pages};
use crate::{ApiState, control, kpi, metrics};

/// The KPI API.
pub fn kpi_router(state: ApiState) -> Router {
    served("kpi", kpi_routes(&state.access), state)
}

/// The ETL control API.
pub fn control_router(state: ApiState) -> Router {
    served("control", control_routes(&state.access), state)
}

fn kpi_routes(access: &Arc<Access>) -> OpenApiRouter<ApiState> {
    let viewer = Guarded::for_role(Role::Viewer, access)
        .routes(routes!(kpi::overview::get))
        .routes(routes!(kpi::active_users::get))
        .routes(routes!(kpi::retention::get))
        .routes(routes!(kpi::user_behavior::get))
        .routes(routes!(kpi::lifecycle::get))
        .routes(routes!(kpi::revenue::get))
        .routes(routes!(kpi::funnel::get))
        .routes(routes!(kpi::sessions::get))
        .routes(routes!(metrics::get::get));
    let operator = Guarded::for_role(Role::Operator, access).routes(routes!(kpi::cache::delete));
    OpenApiRouter::with_openapi(document(
        "Kindred KPI API",
        "The key figures of a dating platform. Days and buckets are UTC; null is what cannot be known, and 0 is measured.",
    ))
    .merge(viewer.into())
    .merge(operator.into())
    .routes(routes!(kpi::health::live))
    .routes(routes!(kpi::health::ready))
    .layer(request_timeout())
}

fn control_routes(access: &Arc<Access>) -> OpenApiRouter<ApiState> {
    let viewer = Guarded::for_role(Role::Viewer, access)
        .routes(routes!(control::jobs::get))
        .routes(routes!(control::runs::get))
        .routes(routes!(control::run::get))
        .routes(routes!(control::alerts::get))
        .routes(routes!(metrics::get::get));
    let operator = Guarded::for_role(Role::Operator, access)
        .routes(routes!(control::jobs::pause))
        .routes(routes!(control::jobs::resume))
        .routes(routes!(control::cancel::post))
        .routes(routes!(control::resolve_alert::post))
        .routes(routes!(control::backfill::post));
    let admin = Guarded::for_role(Role::Admin, access)
        .routes(routes!(control::erase::post))
        .routes(routes!(control::erasure::get));
    // They wait as long as the caller asks, and keep their own time.
    let waiting = Guarded::for_role(Role::Operator, access).routes(routes!(control::trigger::post));
    OpenApiRouter::with_openapi(document(
        "Kindred ETL control API",
        "Starts, watches and stops the runs that compute the key figures.",
    ))
    .routes(routes!(control::health::get))
    .merge(viewer.into())
    .merge(operator.into())
    .merge(admin.into())
    .layer(request_timeout())
    .merge(waiting.into())
}

fn served(server: &'static str, routes: OpenApiRouter<ApiState>, state: ApiState) -> Router {
    let (routes, document) = routes.split_for_parts();
    let pages = Guarded::for_role(Role::Viewer, &state.access).pages(pages(completed(document)));
    let observer = Observer {
        server,
        access: Arc::clone(&state.access),
        metrics: Arc::clone(&state.metrics),
    };
    around(routes.merge(pages), observer).with_state(state)
}

/// The OpenAPI documents of the KPI API and of the control API.
#[must_use]
pub fn openapi() -> [OpenApi; 2] {
    let anyone = Arc::default();
    [kpi_routes(&anyone), control_routes(&anyone)].map(|routes| completed(routes.into_openapi()))
}
