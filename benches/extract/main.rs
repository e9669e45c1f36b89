//! Extraction against its floor: the same query through `psql`'s binary COPY, thrown away.
//!
//! `bench-extract [ROWS]` fills a scratch database with so many `user_sessions` (5,000,000), then alternates both,
//! each in a process of its own, three times. Fails when the ratio of the medians is above 1.5, or when the peak memory
//! of an extracting process is above 150 MB.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kindred_benches::{median, megabytes, peak_memory, timed};
use kindred_extract::{PostgresSource, SourceConfig, UserKeys, embedded_queries};
use kindred_model::{Fact, Source};
use kindred_testkit::{TestDatabase, TestServer};
use sqlx::AssertSqlSafe;

const ROWS: u64 = 5_000_000;
const ROUNDS: usize = 3;
const RATIO_AT_MOST: f64 = 1.5;
const PEAK_AT_MOST: u64 = 150_000_000;

/// The argument that makes this program the process that extracts.
const EXTRACT: &str = "extract";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => compare(ROWS).await,
        [word, url] if word == EXTRACT => extract(url).await,
        [rows] => compare(rows.parse().context("the number of rows")?).await,
        _ => bail!("usage: bench-extract [ROWS]"),
    }
}

async fn compare(rows: u64) -> anyhow::Result<()> {
    println!("filling {rows} user_sessions");
    let database = TestDatabase::create("bench_extract").await;
    fill(&database, rows).await?;

    let copy = format!("copy ({}) to stdout (format binary)", query()?);
    let mut psql = Command::new(TestServer::get().await.bin_dir().join("psql"));
    psql.args(["--no-psqlrc", "--dbname", &database.url(), "--command", &copy]);
    let mut ours = Command::new(env::current_exe()?);
    ours.args([EXTRACT, &database.url()]);

    let (mut floor, mut extraction, mut peak) = (Vec::new(), Vec::new(), 0);
    for round in 1..=ROUNDS {
        let (psql_took, _) = timed(&mut psql, Stdio::null())?;
        let (ours_took, report) = timed(&mut ours, Stdio::piped())?;
        let (read, memory) = report.trim().split_once(' ').context("the extraction's report")?;
        ensure!(read.parse() == Ok(rows), "{read} of {rows} rows were extracted");
        peak = peak.max(memory.parse()?);
        println!(
            "round {round}: psql {:.2} s, extraction {:.2} s, peak {:.1} MB",
            psql_took.as_secs_f64(),
            ours_took.as_secs_f64(),
            megabytes(peak)
        );
        floor.push(psql_took);
        extraction.push(ours_took);
    }
    let (floor, extraction) = (median(floor).as_secs_f64(), median(extraction).as_secs_f64());
    let ratio = extraction / floor;
    println!(
        "extract: psql {floor:.2} s, extraction {extraction:.2} s, ratio {ratio:.2} (at most {RATIO_AT_MOST}), peak {:.1} MB (at most {:.0})",
        megabytes(peak),
        megabytes(PEAK_AT_MOST)
    );
    ensure!(
        ratio <= RATIO_AT_MOST,
        "extraction takes {ratio:.2} times as long as psql's COPY"
    );
    ensure!(peak <= PEAK_AT_MOST, "extraction needs {:.1} MB", megabytes(peak));
    Ok(())
}

/// Extracts all sessions, drops them, and prints how many there were and the peak memory in bytes.
async fn extract(url: &str) -> anyhow::Result<()> {
    let source = PostgresSource::new(SourceConfig {
        source: Source::Users,
        url: url.to_owned().into(),
        keys: UserKeys::new("a secret of a benchmark")?,
        queries: embedded_queries(Source::Users),
        deadline: Duration::from_secs(600),
        batch_rows: 16_384,
        queue_batches: 4,
    })?;
    let mut rows = source
        .open(&[Fact::UserSessions])
        .await?
        .read(Fact::UserSessions, None, None);
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
    }
    println!("{count} {}", peak_memory()?);
    Ok(())
}

/// The query that the extraction runs.
fn query() -> anyhow::Result<String> {
    let queries = embedded_queries(Source::Users);
    let rows = &queries
        .get(&Fact::UserSessions)
        .context("a query for user_sessions")?
        .rows;
    let rows = rows
        .replace("$from", "timestamptz '-infinity'")
        .replace("$to", "timestamptz 'infinity'");
    Ok(format!("select * from (\n{rows}\n) as fact order by started_at"))
}

/// Sessions of 200,000 users over 90 days, one in ten of them open.
async fn fill(database: &TestDatabase, rows: u64) -> anyhow::Result<()> {
    let ddl = include_str!("../migrations/sources/users.sql");
    let insert = format!(
        "insert into user_sessions
         select gen_random_uuid(), md5((i * 7919 % 200000)::text)::uuid,
             (array['ios', 'android', 'web'])[1 + i % 3], '4.' || i % 20 || '.1',
             (array['DE', 'FR', 'US', 'BR', 'JP', null])[1 + i % 6], at, at + interval '10 minutes',
             case when i % 10 > 0 then at + interval '11 minutes' end,
             case when i % 10 > 0 then (array['logout', 'background', 'timeout'])[1 + i % 3] end, at
         from (
             select i, timestamptz '2026-01-01Z' + i * interval '90 days' / {rows} as at
             from generate_series(1::bigint, {rows}) as i
         ) as sessions"
    );
    for sql in [ddl, &insert, "vacuum analyze user_sessions"] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await?;
    }
    Ok(())
}
