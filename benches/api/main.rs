//! The KPI API over a warehouse of three years: a cached answer against a static one, and how long an answer takes that
//! is computed.
//!
//! `bench-api` fills a scratch warehouse, starts the release binary's `serve api` on one core and asks from another. Fails
//! when the cached `/kpis/overview` reaches less than 0.7 of the request rate of `/health`, when the median of the
//! uncached one is above 10 ms, or that of any endpoint above 50 ms. Writes `bench/api.json` into the target folder.
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

use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use cached::Cached;
use server::{Cores, Server};
use uncached::Uncached;

const OVERVIEW: &str = "/kpis/overview";
const LARGE: &str = "/kpis/active-users?range=365d";

/// Longer than any measurement: nothing is computed anew in one.
const CACHE_TTL: u64 = 3600;

const RATIO_AT_LEAST: f64 = 0.7;
const OVERVIEW_AT_MOST_MS: f64 = 10.0;
const ANSWER_AT_MOST_MS: f64 = 50.0;

/// What was measured.
#[derive(Debug, Serialize)]
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
    report.write()?;
    report.judge()
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

    /// Writes it beside the release binaries' folder.
    fn write(&self) -> anyhow::Result<()> {
        let binary = env::current_exe()?;
        let target = binary
            .ancestors()
            .nth(2)
            .context("a binary outside of a target folder")?;
        let folder = target.join("bench");
        fs::create_dir_all(&folder)?;
        let file = folder.join("api.json");
        fs::write(&file, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("\n{}", file.display());
        Ok(())
    }

    fn judge(&self) -> anyhow::Result<()> {
        for Cached { answer, ratio, .. } in self.cached.iter().filter(|cached| cached.answer == OVERVIEW) {
            ensure!(
                *ratio >= RATIO_AT_LEAST,
                "the cached {answer} reaches {ratio:.2} of the rate of /health, and {RATIO_AT_LEAST} is the least"
            );
        }
        for Uncached { answer, median_ms, .. } in &self.uncached {
            let most = if answer == OVERVIEW {
                OVERVIEW_AT_MOST_MS
            } else {
                ANSWER_AT_MOST_MS
            };
            ensure!(
                *median_ms <= most,
                "{answer} takes {median_ms:.1} ms, and {most} ms are the most"
            );
        }
        Ok(())
    }
}

/// Of durations in ascending order, the one that so many per cent do not exceed, in milliseconds.
fn percentile(ascending: &[Duration], percent: usize) -> f64 {
    let at = (ascending.len() * percent).div_ceil(100).saturating_sub(1);
    ascending.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
}
