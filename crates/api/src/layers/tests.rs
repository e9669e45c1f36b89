use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::routing::get;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::metrics::Metrics;

/// What the route answers inside of everything that surrounds it.
async fn answer(route: axum::routing::MethodRouter) -> (StatusCode, Value) {
    let observer = Observer {
        server: "test",
        access: Arc::default(),
        metrics: Arc::new(Metrics::new()),
    };
    let router = around(Router::new().route("/", route), observer);
    let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers().contains_key(REQUEST_ID));
    let body = to_bytes(response.into_body(), BODY_BYTES).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn panics() -> &'static str {
    panic!("the account of s3cret-word")
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_of_it() {
    let (status, problem) = answer(get(panics)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        (&problem["status"], &problem["title"]),
        (&json!(500), &json!("Internal Server Error"))
    );
    assert!(!problem.to_string().contains("s3cret"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_408() {
    let forever = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20));
    let (status, problem) = answer(get(std::future::pending::<&'static str>).layer(forever)).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(problem["status"], 408);
}
