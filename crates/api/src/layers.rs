//! What surrounds every request: its id, what is told of it, which page may read the answer, the limits on its size and
//! time, and one shape for what goes wrong.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;

use crate::observe::{Observer, observe};
use crate::problem::{self, Problem};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest body that is read: nothing here takes a long one.
const BODY_BYTES: usize = 64 * 1024;

/// How long a request may take that waits for nobody.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Puts what surrounds every request around the routes; what comes first here sees the request first.
pub(crate) fn around<S: Clone + Send + Sync + 'static>(routes: Router<S>, observer: Observer) -> Router<S> {
    let cors = observer.access.cors();
    routes.layer(
        ServiceBuilder::new()
            .map_request(without_odd_request_id)
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(middleware::from_fn_with_state(observer, observe))
            .map_response(as_it_is_named)
            .option_layer(cors)
            .layer(middleware::map_response(problem::shape))
            .map_response(IntoResponse::into_response)
            .layer(CatchPanicLayer::custom(panicked))
            .layer(RequestBodyLimitLayer::new(BODY_BYTES)),
    )
}

/// Ends a request that takes too long, with 408.
pub(crate) fn request_timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT)
}

/// A caller may name its request, by a short plain word; anything else would only make the logs unreadable.
fn without_odd_request_id<B>(mut request: Request<B>) -> Request<B> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let odd = |id: &HeaderValue| id.is_empty() || id.len() > 64 || !id.as_bytes().iter().all(plain);
    if request.headers().get(REQUEST_ID).is_some_and(odd) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// What an answer is, its Content-Type says: browsers must not find something else in it.
fn as_it_is_named<B>(mut response: axum::http::Response<B>) -> axum::http::Response<B> {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What a panic said stays here; the caller learns that there was one.
fn panicked(message: Box<dyn Any + Send + 'static>) -> Response {
    let text = message
        .downcast_ref::<&str>()
        .copied()
        .or(message.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        panic = text.unwrap_or("a panic without a text"),
        "a request's handler panicked"
    );
    Problem::of(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

#[cfg(test)]
mod tests;
