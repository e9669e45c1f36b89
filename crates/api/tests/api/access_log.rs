//! One line for each request, and nothing in it that may be a secret.

use std::io;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;

use crate::access::by_tokens;
use crate::support::Servers;

/// What is logged on this thread, where the servers of a test run, too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn at(level: tracing::Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of requests.
    fn requests(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["fields"]["message"] == "answered").collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_is_one_line_that_says_who_asked_what_and_how_it_went() {
    let servers = Servers::open_to(by_tokens()).await;
    let (log, _guard) = Log::at(tracing::Level::INFO);
    let request = servers.client().get(servers.kpi_url("/kpis/overview?compare=previous"));
    let request = request.header(AUTHORIZATION, "Bearer token-of-a-viewer");
    let answer = request.header("x-request-id", "asked-by-ann").send().await.unwrap();
    let length = answer.text().await.unwrap().len();
    let unknown = servers.control(Method::GET, "/runs/never").await;
    let id = unknown.headers()["x-request-id"].to_str().unwrap().to_owned();

    let lines = log.requests();
    assert_eq!(lines.len(), 2, "{}", log.text());
    let fields = &lines[0]["fields"];
    assert_eq!((&lines[0]["level"], &fields["method"]), (&"INFO".into(), &"GET".into()));
    assert_eq!(
        (&fields["path"], &fields["route"]),
        (&"/kpis/overview".into(), &"/kpis/overview".into())
    );
    assert_eq!((&fields["status"], &fields["bytes"]), (&200.into(), &length.into()));
    assert_eq!(
        (&fields["token"], &fields["id"]),
        (&"name-of-viewer".into(), &"asked-by-ann".into())
    );
    assert!(fields["ms"].as_f64().is_some_and(|took| took > 0.0), "{fields}");
    let fields = &lines[1]["fields"];
    assert_eq!(
        (&fields["path"], &fields["route"]),
        (&"/runs/never".into(), &"/runs/{id}".into())
    );
    assert_eq!((&fields["status"], &fields["id"]), (&401.into(), &id.into()));
    assert!(fields.get("token").is_none(), "{fields}");
}

#[tokio::test]
async fn neither_tokens_nor_query_strings_are_logged_at_any_level() {
    let servers = Servers::open_to(by_tokens()).await;
    let (log, _guard) = Log::at(tracing::Level::TRACE);
    for (token, path) in [
        ("token-of-a-viewer", "/kpis/overview?key=s3cret-word"),
        ("token-of-an-admin", "/cache?s3cret-word"),
        ("token-of-nobody", "/kpis/overview"),
        ("token-of-nobody", "/nowhere?s3cret-word"),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let request = servers.client().request(method, servers.kpi_url(path));
            let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            request.send().await.unwrap();
        }
    }
    assert_eq!(log.requests().len(), 8);
    let text = log.text();
    let of_ours: Vec<_> = text
        .lines()
        .filter(|line| line.contains("\"target\":\"kindred"))
        .collect();
    assert!(of_ours.len() >= 8, "{text}");
    for line in of_ours {
        assert!(!line.contains("token-of") && !line.contains("s3cret"), "{line}");
    }
}

#[tokio::test]
async fn what_machines_ask_all_day_long_is_told_at_debug() {
    let servers = Servers::start().await;
    let (log, guard) = Log::at(tracing::Level::INFO);
    let ask = async || {
        for path in ["/health", "/ready", "/metrics"] {
            servers.kpi(Method::GET, path).await;
        }
    };
    ask().await;
    assert_eq!(log.requests(), Vec::<Value>::new());
    drop(guard);
    let (log, _guard) = Log::at(tracing::Level::DEBUG);
    ask().await;
    assert_eq!(log.requests().len(), 3, "{}", log.text());
    assert!(log.requests().iter().all(|line| line["level"] == "DEBUG"));
}
