//! Every endpoint with nothing kept: one request after the other, each answered from the warehouse.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::http::{Connection, get};
use crate::percentile;
use crate::server::Server;

/// Requests that count, and those before them that open connections and prepare statements.
const REQUESTS: usize = 300;
const WARM_UP: usize = 20;

/// Parameters that make an answer larger, tried wherever an endpoint takes them.
const LARGER: [(&str, &str); 3] = [("compare", "previous"), ("timeframe", "365d"), ("cohortCount", "52")];

/// How long an answer takes.
#[derive(Debug)]
pub(crate) struct Uncached {
    pub(crate) answer: String,
    pub(crate) bytes: usize,
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Measures every endpoint of the server's own document.
pub(crate) async fn measure(server: &Server) -> anyhow::Result<Vec<Uncached>> {
    let mut connection = Connection::open(server.address).await?;
    let document: Value = serde_json::from_slice(connection.ask(&get("/openapi.json")).await?.body)?;
    let mut measured = Vec::new();
    for answer in answers(&document)? {
        // A pattern may forbid the larger timeframe.
        if connection.ask(&get(&answer)).await?.status == 400 && answer.contains('?') {
            continue;
        }
        measured.push(repeat(&mut connection, answer).await?);
    }
    Ok(measured)
}

/// The addresses of all KPI answers: as they are by default, and with each parameter that makes them larger.
pub(crate) fn answers(document: &Value) -> anyhow::Result<Vec<String>> {
    let paths = document["paths"].as_object().context("a document without paths")?;
    let mut answers = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/kpis/")) {
        answers.push(path.clone());
        let parameters = item["get"]["parameters"].as_array();
        let takes = |name: &str| parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name));
        let larger = LARGER.iter().filter(|(name, _)| takes(name));
        answers.extend(larger.map(|(name, value)| format!("{path}?{name}={value}")));
    }
    ensure!(!answers.is_empty(), "a document without KPIs");
    Ok(answers)
}

async fn repeat(connection: &mut Connection, answer: String) -> anyhow::Result<Uncached> {
    let request = get(&answer);
    let (mut latencies, mut bytes) = (Vec::with_capacity(REQUESTS), 0);
    for _ in 0..WARM_UP + REQUESTS {
        let asked = Instant::now();
        let got = connection.ask(&request).await?;
        latencies.push(asked.elapsed());
        bytes = got.body.len();
        let is_computed = got.status == 200 && got.header("x-cache") == Some("MISS");
        ensure!(is_computed, "{answer} is not computed anew: status {}", got.status);
    }
    let mut latencies = latencies.split_off(WARM_UP);
    latencies.sort_unstable();
    Ok(Uncached {
        answer,
        bytes,
        median_ms: percentile(&latencies, 50),
        p99_ms: percentile(&latencies, 99),
    })
}
