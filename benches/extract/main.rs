//! Extraction against its floor: the same query through `psql`'s binary COPY, thrown away.
//!
//! `bench-extract [ROWS]` fills a scratch database with so many `user_sessions` (5,000,000). It reads them in one stream into
//! Arrow batches that are dropped, against one `psql`; then in two streams, each of half of the days, into the Parquet
//! partitions of a lake, against two `psql` side by side. Each is a process of its own.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

mod process;
mod sessions;

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::NaiveDate;
use kindred_benches::figures::{Figure, Limit, publish};
use kindred_benches::rounds::{Round, rounds};
use kindred_benches::{megabytes, timed};
use kindred_testkit::{TestDatabase, TestServer};

use sessions::{copy_statement, fill, halves};

const ROWS: u64 = 5_000_000;
const ROUNDS: usize = 3;
const RATE_AT_LEAST: f64 = 0.9;
const PEAK_AT_MOST_MB: f64 = 64.0;
const MIRROR_RATE_AT_LEAST: f64 = 0.6;

/// As the product's binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The arguments that make this program the process that extracts, or that mirrors.
const EXTRACT: &str = "extract";
const MIRROR: &str = "mirror";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => compare(ROWS).await,
        [word, url] if word == EXTRACT => process::extract(url).await,
        [word, url, lake] if word == MIRROR => process::mirror(url, Path::new(lake)).await,
        [rows] => compare(rows.parse().context("the number of rows")?).await,
        _ => bail!("usage: bench-extract [ROWS]"),
    }
}

async fn compare(rows: u64) -> anyhow::Result<()> {
    println!("filling {rows} user_sessions");
    let database = TestDatabase::create("bench_extract").await;
    fill(&database, rows).await?;
    let subject = Subject {
        url: database.url(),
        psql: TestServer::get().await.bin_dir().join("psql"),
        rows,
    };

    let mut peak = 0;
    let floor = async || subject.copy(None);
    let product = async || {
        let (took, memory) = subject.run(&[EXTRACT, &subject.url])?;
        peak = peak.max(memory);
        Ok(took)
    };
    let stream = rounds("extract, 1 stream", ROUNDS, floor, product).await?;

    let floor = async || subject.copy_halves();
    let product = async || {
        let home = tempfile::tempdir()?;
        let lake = home.path().to_str().context("a folder's name")?;
        Ok(subject.run(&[MIRROR, &subject.url, lake])?.0)
    };
    let mirror = rounds("extract to Parquet, 2 streams", ROUNDS, floor, product).await?;

    let millions = format!("{} M sessions", rows / 1_000_000);
    let figure = |what: String, against: &str, round: Round, least| Figure {
        what,
        against: against.to_owned(),
        value: round.rate(),
        unit: "times".to_owned(),
        limit: Limit::AtLeast(least),
        seen: format!(
            "{:.2} s against {:.2} s",
            round.product.as_secs_f64(),
            round.floor.as_secs_f64()
        ),
    };
    publish(
        "extract",
        &[
            figure(
                format!("extract {millions}, 1 stream"),
                "`psql` COPY BINARY of the same query to nothing",
                stream,
                RATE_AT_LEAST,
            ),
            Figure {
                what: "the same, peak memory".to_owned(),
                against: String::new(),
                value: megabytes(peak),
                unit: "MB".to_owned(),
                limit: Limit::AtMost(PEAK_AT_MOST_MB),
                seen: "of the whole process".to_owned(),
            },
            figure(
                format!("extract {millions} to Parquet, 2 streams"),
                "two such floors side by side",
                mirror,
                MIRROR_RATE_AT_LEAST,
            ),
        ],
    )
}

/// Where the rows are.
struct Subject {
    url: String,
    psql: std::path::PathBuf,
    rows: u64,
}

impl Subject {
    /// This program once more as another process: how long it took, and its peak memory in bytes.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<(Duration, u64)> {
        let (took, report) = timed(Command::new(env::current_exe()?).args(arguments), Stdio::piped())?;
        let (read, memory) = report.trim().split_once(' ').context("the process's report")?;
        ensure!(
            read.parse() == Ok(self.rows),
            "{read} of {} rows were extracted",
            self.rows
        );
        Ok((took, memory.parse()?))
    }

    /// How long `psql` takes to read what starts in `days`, or everything.
    fn copy(&self, days: Option<(NaiveDate, NaiveDate)>) -> anyhow::Result<Duration> {
        let mut psql = Command::new(&self.psql);
        psql.args([
            "--no-psqlrc",
            "--dbname",
            &self.url,
            "--command",
            &copy_statement(days)?,
        ]);
        Ok(timed(&mut psql, Stdio::null())?.0)
    }

    fn copy_halves(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        std::thread::scope(|scope| {
            let copies = halves().map(|days| scope.spawn(move || self.copy(Some(days))));
            copies.into_iter().try_for_each(|copy| match copy.join() {
                Ok(copied) => copied.map(drop),
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
        Ok(began.elapsed())
    }
}
