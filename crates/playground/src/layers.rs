//! What surrounds every call: limits on its size and time, one shape for what goes wrong, and a line of the log that
//! tells neither a token, nor a password, nor a query.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::refusal;

/// The longest body that is read: a message of the greatest length fits, however it is escaped.
const BODY_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(15);

/// Puts what surrounds every call around the routes; what comes first here sees the call first.
pub(crate) fn around<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn(observe))
            .layer(middleware::map_response(refusal::shape))
            .map_response(IntoResponse::into_response)
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
            .layer(RequestBodyLimitLayer::new(BODY_BYTES)),
    )
}

async fn observe(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    let (status, path) = (response.status().as_u16(), uri.path());
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if path == "/health" {
        tracing::debug!(%method, path, status, ms, "answered");
    } else {
        tracing::info!(%method, path, status, ms, "answered");
    }
    response
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
