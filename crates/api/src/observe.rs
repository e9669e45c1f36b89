//! What is told of every request: a span for whatever is logged meanwhile, one line when it is answered, and the metrics.
//!
//! Neither a token nor a query string is told, since either may hold a secret.

use std::sync::Arc;
use std::time::Instant;

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::access::Access;
use crate::layers::REQUEST_ID;
use crate::metrics::Metrics;

/// The route of a request that meets none.
const NO_ROUTE: &str = "none";

/// Routes that machines ask all day long.
const POLLED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// Who watches the requests of a server.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    /// What metrics call the server.
    pub(crate) server: &'static str,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Finds out whose request it is, and tells of it when it is answered.
pub(crate) async fn observe(State(observer): State<Observer>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let caller = observer.access.caller(&request).cloned();
    if let Some(caller) = &caller {
        request.extensions_mut().insert(caller.clone());
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let id = request.headers().get(REQUEST_ID).cloned();
    let id = id
        .as_ref()
        .map(HeaderValue::to_str)
        .and_then(Result::ok)
        .unwrap_or_default();
    let span = tracing::info_span!("request", %method, path = uri.path(), id);

    let response = next.run(request).instrument(span).await;

    let (took, status) = (began.elapsed(), response.status());
    observer.metrics.answered(observer.server, &method, route, status, took);
    let token = caller.as_ref().map(|caller| caller.name());
    if let Some(token) = token.filter(|_| status == StatusCode::TOO_MANY_REQUESTS) {
        observer.metrics.limited(token);
    }
    /// The same line at a level of its own, outside of the span, which would only repeat it.
    macro_rules! tell {
        ($level:ident) => {
            tracing::$level!(
                parent: None,
                %method,
                path = uri.path(),
                route,
                status = status.as_u16(),
                ms = (took.as_secs_f64() * 1e6).round() / 1e3,
                bytes = response.body().size_hint().exact(),
                token,
                id,
                "answered"
            )
        };
    }
    if POLLED.contains(&route) {
        tell!(debug);
    } else {
        tell!(info);
    }
    response
}
