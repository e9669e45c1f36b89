//! Rows on their way into the warehouse: a publication of `user_behavior_events` against `psql`'s `\copy` of the same rows,
//! in PostgreSQL's own binary form, into the same table with the same indexes.
//!
//! `bench-load [ROWS]` publishes so many events of a day (1,000,000) that the warehouse has none of yet. `\copy` writes
//! them once and asks nothing; a publication has to find out what of it is there already.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

mod events;

use std::convert::Infallible;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kindred_benches::figures::{Figure, Limit, publish};
use kindred_benches::rounds::rounds;
use kindred_benches::timed;
use kindred_model::{Job, RunStatus, Trigger};
use kindred_testkit::{TestDatabase, TestServer};
use kindred_warehouse::{
    ConnectOptions, Publication, RunOutcome, RunRequest, Scope, TableChange, USER_BEHAVIOR_EVENTS, Warehouse,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use events::{Events, day};

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 3;
const RATE_AT_LEAST: f64 = 0.8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let rows = env::args().nth(1).map_or(Ok(ROWS), |rows| rows.parse());
    let rows = rows.context("usage: bench-load [ROWS]")?;
    let database = TestDatabase::create("bench_load").await;
    let target = Target {
        warehouse: Warehouse::connect(&database.url().into(), &ConnectOptions::default()).await?,
        database,
        events: Events::of(rows)?,
    };
    target.warehouse.migrate().await?;

    let home = tempfile::tempdir()?;
    let encoded = home.path().join("events.copy");
    target.publication().await?;
    let published = target.fingerprint().await?;
    ensure!(
        published.starts_with(&format!("{rows} ")),
        "{published}: {rows} rows were published"
    );
    target
        .psql(&format!(
            "\\copy (select * from user_behavior_events) to '{}' (format binary)",
            encoded.display()
        ))
        .await?;
    target.copy(&encoded).await?;
    ensure!(
        target.fingerprint().await? == published,
        "\\copy gives other rows than the publication"
    );

    let floor = async || target.copy(&encoded).await;
    let round = rounds("load", ROUNDS, floor, async || target.publication().await).await?;
    publish(
        "load",
        &[Figure {
            what: format!("load {rows} rows into the warehouse"),
            against: "`psql \\copy` of the encoded bytes".to_owned(),
            value: round.rate(),
            unit: "times".to_owned(),
            limit: Limit::AtLeast(RATE_AT_LEAST),
            seen: format!(
                "{:.2} s against {:.2} s",
                round.product.as_secs_f64(),
                round.floor.as_secs_f64()
            ),
        }],
    )
}

/// The warehouse, and what it is to hold.
struct Target {
    warehouse: Warehouse,
    database: TestDatabase,
    events: Events,
}

impl Target {
    /// How long `\copy` takes.
    async fn copy(&self, encoded: &Path) -> anyhow::Result<Duration> {
        self.emptied().await?;
        self.psql(&format!(
            "\\copy user_behavior_events from '{}' (format binary)",
            encoded.display()
        ))
        .await
    }

    async fn psql(&self, command: &str) -> anyhow::Result<Duration> {
        let mut psql = Command::new(TestServer::get().await.bin_dir().join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--dbname",
            &self.database.url(),
            "--command",
            command,
        ]);
        Ok(timed(&mut psql, Stdio::null())?.0)
    }

    /// How long a publication takes, its commit included, of a day that has no table yet.
    async fn publication(&self) -> anyhow::Result<Duration> {
        let day_table = format!(
            "drop table if exists user_behavior_events_{}",
            day().from().format("%Y%m%d")
        );
        sqlx::raw_sql(AssertSqlSafe(day_table))
            .execute(self.database.pool())
            .await?;
        self.emptied().await?;
        let (owner, at) = (Uuid::new_v4(), kindred_testkit::at("2026-03-10T01:00:00Z"));
        let request = RunRequest {
            job: Job::Daily,
            interval: day().into(),
            trigger: Trigger::Manual,
            dry_run: false,
            at,
        };
        let run_id = self.warehouse.request(&request).await?;
        self.warehouse
            .claim(run_id, owner, at)
            .await?
            .context("another claims the run")?;
        let publication = Publication {
            run_id,
            owner,
            at,
            tables: vec![TableChange {
                table: &USER_BEHAVIOR_EVENTS,
                rows: self.events.batches(run_id, at)?.into(),
                scope: Scope::Within(vec![day().into()]),
            }],
            partitions: Vec::new(),
            watermarks: Vec::new(),
            noted: Vec::new(),
            settled: Vec::new(),
            event_files: Vec::new(),
            events_since: Some(day().from()),
            outcome: RunOutcome {
                status: RunStatus::Completed,
                records_read: 0,
                records_processed: 0,
                error_message: None,
                checks: serde_json::json!([]),
                steps: Vec::new(),
                transient: false,
            },
        };
        let began = Instant::now();
        self.warehouse
            .publish(&publication, async || Ok::<_, Infallible>(()))
            .await?;
        Ok(began.elapsed())
    }

    /// Without rows, and with nothing left for the server to write.
    async fn emptied(&self) -> anyhow::Result<()> {
        sqlx::raw_sql("truncate user_behavior_events; checkpoint")
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// How many rows there are, and a sum over all their cells but those that name the run.
    async fn fingerprint(&self) -> anyhow::Result<String> {
        let sql = "select count(*) || ' ' || sum(hashtextextended((
                       event_time, event_id, user_id, session_id, event_name, event_properties, platform, app_version,
                       location_country)::text, 0))
                   from user_behavior_events";
        Ok(sqlx::query_scalar(sql).fetch_one(self.database.pool()).await?)
    }
}
