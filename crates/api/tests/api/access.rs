//! Who may call which route, and how often.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use futures::future::join_all;
use kindred_api::{Access, Role, Token};
use reqwest::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::support::{Servers, problem};

/// The token of each role.
const TOKENS: [(&str, Role); 3] = [
    ("token-of-a-viewer", Role::Viewer),
    ("token-of-an-operator", Role::Operator),
    ("token-of-an-admin", Role::Admin),
];

/// The least role for every route; `None`: open to all. Routes without a server's name are of both.
const ROUTES: &[(&str, Option<Role>)] = &[
    ("kpi GET /kpis/overview", Some(Role::Viewer)),
    ("kpi GET /kpis/active-users", Some(Role::Viewer)),
    ("kpi GET /kpis/retention", Some(Role::Viewer)),
    ("kpi GET /kpis/revenue", Some(Role::Viewer)),
    ("kpi GET /kpis/user-behavior", Some(Role::Viewer)),
    ("kpi GET /kpis/funnel", Some(Role::Viewer)),
    ("kpi GET /kpis/sessions", Some(Role::Viewer)),
    ("kpi GET /kpis/lifecycle", Some(Role::Viewer)),
    ("kpi DELETE /cache", Some(Role::Operator)),
    ("kpi GET /health", None),
    ("kpi GET /ready", None),
    ("kpi GET /metrics", Some(Role::Viewer)),
    ("kpi GET /openapi.json", Some(Role::Viewer)),
    ("kpi GET /docs/", Some(Role::Viewer)),
    ("control GET /health", None),
    ("control GET /metrics", Some(Role::Viewer)),
    ("control GET /openapi.json", Some(Role::Viewer)),
    ("control GET /docs/", Some(Role::Viewer)),
    ("control GET /jobs", Some(Role::Viewer)),
    ("control POST /jobs/{job}/pause", Some(Role::Operator)),
    ("control POST /jobs/{job}/resume", Some(Role::Operator)),
    ("control GET /runs", Some(Role::Viewer)),
    ("control GET /runs/{id}", Some(Role::Viewer)),
    ("control POST /runs/{id}/cancel", Some(Role::Operator)),
    ("control GET /alerts", Some(Role::Viewer)),
    ("control POST /alerts/{id}/resolve", Some(Role::Operator)),
    ("control POST /backfill", Some(Role::Operator)),
    ("control POST /erasure", Some(Role::Admin)),
    ("control GET /erasure/{id}", Some(Role::Admin)),
    ("control POST /trigger/{job}", Some(Role::Operator)),
];

pub(crate) fn tokens() -> Vec<Token> {
    let token = |(token, role): (&str, Role)| Token {
        name: format!("name-of-{role}"),
        role,
        digest: Sha256::digest(token).into(),
    };
    TOKENS.map(token).into()
}

pub(crate) fn by_tokens() -> Access {
    Access::new(tokens(), None)
}

/// Every operation of the documents, and the pages beside them.
fn operations() -> Vec<String> {
    let mut operations = Vec::new();
    for (server, document) in ["kpi", "control"].iter().zip(kindred_api::openapi()) {
        let document = serde_json::to_value(document).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys();
            operations.extend(methods.map(|method| format!("{server} {} {path}", method.to_uppercase())));
        }
        operations.extend(["/openapi.json", "/docs/"].map(|page| format!("{server} GET {page}")));
    }
    operations
}

/// The answer to an operation of [`operations`].
async fn call(servers: &Servers, operation: &str, authorization: Option<&str>) -> Response {
    let [server, method, path] = operation.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{operation}");
    };
    let path = path
        .replace("/trigger/{job}", "/trigger/daily?wait=0")
        .replace("{job}", "weekly")
        .replace("{id}", "0190b5a0-0000-7000-8000-000000000001");
    let url = match server {
        "kpi" => servers.kpi_url(&path),
        _ => servers.control_url(&path),
    };
    let request = servers.client().request(method.parse().unwrap(), url);
    let request = match authorization {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn every_route_is_for_its_role_and_those_above_it() {
    let servers = Servers::open_to(by_tokens()).await;
    let mut expected: BTreeMap<_, _> = ROUTES.iter().copied().collect();
    for operation in operations() {
        let Some(least) = expected.remove(operation.as_str()) else {
            panic!("say in ROUTES who may call `{operation}`");
        };
        let bearers = TOKENS.map(|(token, role)| (Some(format!("Bearer {token}")), Some(role)));
        let wrong = [
            "Bearer token-of-nobody",
            "Bearer",
            "Basic dG9rZW4tb2YtYS12aWV3ZXI=",
            "token-of-an-admin",
        ];
        let wrong = wrong.map(|value| (Some(value.to_owned()), None));
        for (authorization, role) in bearers.into_iter().chain(wrong).chain([(None, None)]) {
            let answer = call(&servers, &operation, authorization.as_deref()).await;
            let told = format!("{operation} by {authorization:?}: {}", answer.status());
            let Some(needed) = least.filter(|needed| role < Some(*needed)) else {
                let refused = [401, 403, 429].contains(&answer.status().as_u16());
                assert!(!refused && !answer.status().is_server_error(), "{told}");
                continue;
            };
            if role.is_some() {
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{told}");
                let problem = problem(answer, 403).await;
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.contains(needed.as_str()), "{detail}");
            } else {
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{told}");
                let challenges: Vec<_> = answer.headers().get_all(WWW_AUTHENTICATE).iter().collect();
                assert_eq!(challenges[0], "Bearer");
                let is_page = operation.contains("/docs") || operation.contains("/openapi.json");
                assert_eq!(challenges.len(), 1 + usize::from(is_page), "{told}: {challenges:?}");
                problem(answer, 401).await;
            }
        }
    }
    assert!(expected.is_empty(), "there are no such routes: {expected:?}");
}

#[tokio::test]
async fn without_tokens_everything_is_open() {
    let servers = Servers::start().await;
    for operation in operations() {
        for authorization in [None, Some("Bearer token-of-nobody")] {
            let status = call(&servers, &operation, authorization).await.status().as_u16();
            assert!(
                ![401, 403, 429].contains(&status) && status < 500,
                "{operation}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_needs_no_token() {
    let servers = Servers::open_to(by_tokens()).await;
    problem(servers.kpi(Method::GET, "/kpis").await, 404).await;
    problem(servers.control(Method::POST, "/trigger/daily/now").await, 404).await;
    let refused = servers.kpi(Method::POST, "/kpis/overview").await;
    assert_eq!(refused.headers()["allow"], "GET,HEAD");
    problem(refused, 405).await;
    problem(servers.control(Method::GET, "/backfill").await, 405).await;
    // What takes a token takes it for its head, too.
    assert_eq!(servers.kpi(Method::HEAD, "/kpis/overview").await.status(), 401);
}

#[tokio::test]
async fn a_scheme_is_read_in_any_case() {
    let servers = Servers::open_to(by_tokens()).await;
    for (value, status) in [
        ("bearer token-of-a-viewer", 200),
        ("BEARER  token-of-a-viewer ", 200),
        ("Bearertoken-of-a-viewer", 401),
        ("Bearer token-of-a-viewer, token-of-an-admin", 401),
        ("Bearer TOKEN-OF-A-VIEWER", 401),
    ] {
        let answer = call(&servers, "kpi GET /kpis/overview", Some(value)).await;
        assert_eq!(answer.status(), status, "{value}");
    }
}

#[tokio::test]
async fn a_browser_gives_the_token_as_a_password_and_may_read_with_it_alone() {
    let servers = Servers::open_to(by_tokens()).await;
    let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    let admin = basic("anybody:token-of-an-admin");
    for (operation, value, status) in [
        ("kpi GET /docs/", basic("anybody:token-of-a-viewer"), 200),
        ("control GET /openapi.json", basic(":token-of-a-viewer"), 200),
        ("kpi GET /kpis/overview", basic("anybody:token-of-a-viewer"), 200),
        ("kpi GET /docs/", basic("token-of-a-viewer:"), 401),
        ("kpi GET /docs/", basic("anybody:token-of-nobody"), 401),
        ("kpi GET /docs/", "Basic ?".to_owned(), 401),
        ("control POST /trigger/{job}", admin.clone(), 401),
        ("kpi DELETE /cache", admin, 401),
    ] {
        let answer = call(&servers, operation, Some(&value)).await;
        assert_eq!(answer.status(), status, "{operation} by {value}");
    }
}

#[tokio::test]
async fn a_token_may_be_used_120_times_a_minute_and_is_told_when_it_may_be_again() {
    let servers = Servers::open_to(by_tokens()).await;
    let by = |token: &'static str| format!("Bearer {token}");
    let (viewer, operator) = (by("token-of-a-viewer"), by("token-of-an-operator"));
    let wait = |headers: &HeaderMap| headers[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap();
    let began = Instant::now();
    // Both servers count for one token.
    let asked = (0..160).map(|n| {
        let operation = ["kpi GET /kpis/overview", "control GET /jobs"][n % 2];
        call(&servers, operation, Some(&viewer))
    });
    let asked = join_all(asked).await;
    let again = 2.0 * began.elapsed().as_secs_f64() + 1.0;
    let (refused, given): (Vec<_>, Vec<_>) = asked.into_iter().partition(|answer| answer.status() == 429);
    assert!(given.iter().all(|answer| answer.status() == 200));
    assert!(
        (120.0..=120.0 + again).contains(&(given.len() as f64)),
        "{}",
        given.len()
    );
    let mut seconds = 0;
    for answer in refused {
        seconds = wait(answer.headers());
        assert_eq!(seconds, 1, "there is one more every half second");
        problem(answer, 429).await;
    }
    assert!(seconds > 0, "none was refused");

    // Other tokens, and what is open, have nothing to do with it.
    for operation in ["kpi GET /health", "kpi GET /ready", "control GET /health"] {
        assert_eq!(call(&servers, operation, Some(&viewer)).await.status(), 200);
    }
    let others = call(&servers, "kpi GET /kpis/overview", Some(&operator)).await;
    assert_eq!(others.status(), 200);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let again = call(&servers, "kpi GET /kpis/overview", Some(&viewer)).await;
    assert_eq!(again.status(), 200);
}

#[tokio::test]
async fn without_tokens_nobody_is_counted() {
    let servers = Servers::start().await;
    let asked = join_all((0..160).map(|_| servers.kpi(Method::GET, "/kpis/overview"))).await;
    assert!(asked.iter().all(|answer| answer.status() == 200));
}
