//! Every address of both servers. An address is a file: `GET /kpis/overview` is `kpi/overview.rs`.

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::layers::{around, request_timeout};
use crate::openapi::{completed, document, pages};
use crate::{ApiState, control, kpi};

/// The KPI API.
pub fn kpi_router(state: ApiState) -> Router {
    served(kpi_routes(), state)
}

/// The ETL control API.
pub fn control_router(state: ApiState) -> Router {
    served(control_routes(), state)
}

fn kpi_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(document(
        "Kindred KPI API",
        "The key figures of a dating platform. Days and buckets are UTC; null is what cannot be known, and 0 is measured.",
    ))
    .routes(routes!(kpi::overview::get))
    .routes(routes!(kpi::active_users::get))
    .routes(routes!(kpi::sessions::get))
    .routes(routes!(kpi::cache::delete))
    .routes(routes!(kpi::health::live))
    .routes(routes!(kpi::health::ready))
    .layer(request_timeout())
}

fn control_routes() -> OpenApiRouter<ApiState> {
    let routes = OpenApiRouter::with_openapi(document(
        "Kindred ETL control API",
        "Starts, watches and stops the runs that compute the key figures.",
    ))
    .routes(routes!(control::health::get))
    .routes(routes!(control::jobs::get))
    .routes(routes!(control::jobs::pause))
    .routes(routes!(control::jobs::resume))
    .routes(routes!(control::runs::get))
    .routes(routes!(control::run::get))
    .routes(routes!(control::cancel::post))
    .routes(routes!(control::backfill::post))
    .layer(request_timeout());
    // It waits as long as the caller asks, and keeps its own time.
    routes.routes(routes!(control::trigger::post))
}

fn served(routes: OpenApiRouter<ApiState>, state: ApiState) -> Router {
    let (routes, document) = routes.split_for_parts();
    around(routes.merge(pages(completed(document)))).with_state(state)
}

/// The OpenAPI documents of the KPI API and of the control API.
#[must_use]
pub fn openapi() -> [OpenApi; 2] {
    [kpi_routes(), control_routes()].map(|routes| completed(routes.into_openapi()))
}
