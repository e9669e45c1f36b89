//! Services that sign-in secrets are for, and that refuse them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::support::{DAY, Kindred, Platform};

const SECRET: &str = "canary-of-a-service";

/// The addresses that were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// Mixpanel, an object store and a chat that take nothing from anyone.
async fn refusing() -> (String, Asked) {
    let asked = Asked::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(refuse).with_state(Arc::clone(&asked));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

async fn refuse(State(asked): State<Asked>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    asked.lock().unwrap().push(request.uri().to_string());
    match path.as_str() {
        "/api/2.0/export" => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        path if path.starts_with("/hook") => StatusCode::NOT_FOUND.into_response(),
        _ => (
            StatusCode::FORBIDDEN,
            "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>",
        )
            .into_response(),
    }
}

/// Everything that a command says, at the most talkative.
async fn said(kindred: Kindred, command: &[&str]) -> String {
    let answer = kindred.with("LOG_LEVEL", "trace").run(command).await;
    assert_ne!(answer.code, Some(0), "the service refuses: {answer}");
    let text = answer.to_string();
    assert!(!text.contains("canary"), "a secret is told: {text}");
    text
}

#[tokio::test]
async fn what_mixpanel_refuses_is_told_without_its_secret() {
    let platform = Platform::simulated().await;
    let (address, asked) = refusing().await;
    let kindred = platform
        .kindred()
        .with("EVENTS_URL", "mixpanel://4711")
        .with("MIXPANEL_BASE_URL", &address)
        .with("MIXPANEL_USERNAME", "someone")
        .with("MIXPANEL_SECRET", SECRET);
    let text = said(kindred.clone(), &["check"]).await;
    assert!(text.contains("4711") && text.contains("MIXPANEL_SECRET"), "{text}");
    said(kindred.clone(), &["run", "hourly"]).await;
    said(kindred.with("MIXPANEL_BASE_URL", "http://127.0.0.1:1"), &["check"]).await;
    assert!(!asked.lock().unwrap().is_empty(), "nobody asked");
}

#[tokio::test]
async fn what_an_object_store_refuses_is_told_without_its_keys() {
    let platform = Platform::simulated().await;
    let (address, asked) = refusing().await;
    let kindred = platform
        .kindred()
        .with("AWS_ACCESS_KEY_ID", "someone")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", SECRET)
        .with("AWS_REGION", "eu-west-1")
        .with("AWS_ENDPOINT", &address)
        .with("AWS_ALLOW_HTTP", "true");
    let text = said(kindred.clone().with("EVENTS_URL", "s3://events/app"), &["check"]).await;
    assert!(text.contains("s3://events/app"), "{text}");
    let text = said(kindred.with("LAKE_URL", "s3://lake/kindred"), &["check"]).await;
    assert!(text.contains("MISTAKE  lake") && text.contains("403"), "{text}");
    assert!(!asked.lock().unwrap().is_empty(), "nobody asked");
}

#[tokio::test]
async fn a_webhook_that_takes_no_alert_is_told_of_without_its_address() {
    let platform = Platform::simulated().await;
    platform.alter("alter table users drop column country").await;
    let (address, asked) = refusing().await;
    let hook = format!("{address}/hook/canary?token=canary");
    let kindred = platform.kindred().with("ALERT_WEBHOOK_URL", hook);
    let text = said(kindred, &["run", "daily", "--date", DAY]).await;
    assert!(text.contains("ALERT_WEBHOOK_URL did not take alerts"), "{text}");
    assert!(asked.lock().unwrap().contains(&"/hook/canary?token=canary".to_owned()));
}
