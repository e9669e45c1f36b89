//! The KPI API over a warehouse of three years: a cached answer against a static one, and how long an answer takes that
//! is computed.
//!
//! `bench-api` fills a scratch warehouse, starts the release binary's `serve api` on one core and asks from another.
//!
//! `bench-api --soak SECONDS` loads a server for so long with requests of every kind instead, and fails when its memory
//! was larger by more than a twentieth in the second half of that time than in the first.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

mod cached;
mod http;
mod load;
mod server;
mod soak;
mod uncached;
mod warehouse;

use std::env;
use std::time::Duration;

use anyhow::{Context, bail};
use kindred_benches::figures::{Figure, Limit, publish};

use cached::Cached;
use server::{Cores, Server};
use uncached::Uncached;

const OVERVIEW: &str = "/kpis/overview";
const LARGE: &str = "/kpis/active-users?range=365d";

/// Longer than any measurement: nothing is computed anew in one.
const CACHE_TTL: u64 = 3600;

const RATE_AT_LEAST: f64 = 0.8;
const P99_AT_MOST: f64 = 2.0;
const OVERVIEW_AT_MOST_MS: f64 = 10.0;
const ANSWER_AT_MOST_MS: f64 = 50.0;

/// What was measured.
struct Report {
    cached: Vec<Cached>,
    uncached: Vec<Uncached>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let soak = match &arguments[..] {
        [] => None,
        [word, seconds] if word == "--soak" => Some(Duration::from_secs(seconds.parse().context("seconds")?)),
        _ => bail!("usage: bench-api [--soak SECONDS]"),
    };
    let cores = Cores::find()?;
    let database = warehouse::filled().await?;
    // Only now: the database's server is started by this process, and may use every core.
    cores.keep_to_load()?;
    match soak {
        Some(length) => soak::soak(&cores, &database.url(), length).await,
        None => compare(&cores, &database.url()).await,
    }
}

async fn compare(cores: &Cores, warehouse: &str) -> anyhow::Result<()> {
    let keeping = Server::start(cores, warehouse, CACHE_TTL).await?;
    let cached = vec![
        cached::measure(&keeping, OVERVIEW).await?,
        cached::measure(&keeping, LARGE).await?,
    ];
    drop(keeping);
    let forgetting = Server::start(cores, warehouse, 0).await?;
    let uncached = uncached::measure(&forgetting).await?;
    drop(forgetting);
    let report = Report { cached, uncached };
    report.print();
    publish("api", &report.figures()?)
}

impl Report {
    fn print(&self) {
        println!(
            "\n{:<44} {:>8} {:>9} {:>9} {:>6} {:>7} {:>7} {:>5} {:>9} {:>9}",
            "cached", "bytes", "per s", "/health", "ratio", "p50 ms", "p99 ms", "busy", "half p99", "/health"
        );
        for of in &self.cached {
            println!(
                "{:<44} {:>8} {:>9.0} {:>9.0} {:>6.2} {:>7.2} {:>7.2} {:>5.2} {:>9.2} {:>9.2}",
                of.answer,
                of.bytes,
                of.rate,
                of.floor_rate,
                of.ratio,
                of.p50_ms,
                of.p99_ms,
                of.server_busy,
                of.half_load_p99_ms,
                of.half_load_floor_p99_ms
            );
        }
        println!("\n{:<44} {:>8} {:>9} {:>9}", "uncached", "bytes", "median ms", "p99 ms");
        for Uncached {
            answer,
            bytes,
            median_ms,
            p99_ms,
        } in &self.uncached
        {
            println!("{answer:<44} {bytes:>8} {median_ms:>9.2} {p99_ms:>9.2}");
        }
    }

    fn figures(&self) -> anyhow::Result<Vec<Figure>> {
        let overview = self
            .cached
            .iter()
            .find(|of| of.answer == OVERVIEW)
            .context("the overview")?;
        let computed = self
            .uncached
            .iter()
            .find(|of| of.answer == OVERVIEW)
            .context("the overview")?;
        let slowest = self
            .uncached
            .iter()
            .max_by(|one, other| one.median_ms.total_cmp(&other.median_ms));
        let slowest = slowest.context("answers")?;
        let row = |what: String, against: &str, value, unit: &str, limit, seen| Figure {
            what,
            against: against.to_owned(),
            value,
            unit: unit.to_owned(),
            limit,
            seen,
        };
        Ok(vec![
            row(
                format!("API: `{OVERVIEW}`, cached"),
                "the rate of the static `/health`",
                overview.ratio,
                "times",
                Limit::AtLeast(RATE_AT_LEAST),
                format!("{:.0} against {:.0} a second", overview.rate, overview.floor_rate),
            ),
            row(
                "the same, p99 at half load".to_owned(),
                "that of `/health` at the same rate",
                overview.half_load_p99_ms / overview.half_load_floor_p99_ms,
                "times",
                Limit::AtMost(P99_AT_MOST),
                format!(
                    "{:.2} ms against {:.2} ms",
                    overview.half_load_p99_ms, overview.half_load_floor_p99_ms
                ),
            ),
            row(
                format!("API: `{OVERVIEW}`, computed, median"),
                "",
                computed.median_ms,
                "ms",
                Limit::AtMost(OVERVIEW_AT_MOST_MS),
                format!("p99 {:.1} ms", computed.p99_ms),
            ),
            row(
                format!("API: the slowest of {} answers, computed, median", self.uncached.len()),
                "",
                slowest.median_ms,
                "ms",
                Limit::AtMost(ANSWER_AT_MOST_MS),
                format!("`{}`", slowest.answer),
            ),
        ])
    }
}

/// Of durations in ascending order, the one that so many per cent do not exceed, in milliseconds.
fn percentile(ascending: &[Duration], percent: usize) -> f64 {
    let at = (ascending.len() * percent).div_ceil(100).saturating_sub(1);
    ascending.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
}
