//! A warehouse, a clock, tickers on them, and a worker that is done at once.

use std::collections::BTreeMap;

use kindred_model::{Clock, Instant, Job, RunStatus};
use kindred_testkit::TestDatabase;
pub(crate) use kindred_testkit::at;
use kindred_ticker::{Schedule, Ticker, Turn};
use kindred_warehouse::{ConnectOptions, Publication, Run, RunOutcome, Warehouse};
use uuid::Uuid;

pub(crate) struct Setup {
    pub(crate) warehouse: Warehouse,
    pub(crate) clock: Clock,
    pub(crate) ticker: Ticker,
    _database: TestDatabase,
}

/// A row of the ledger in short: trigger, status, interval.
pub(crate) type Told = (String, String, String);

impl Setup {
    /// The jobs on their default schedules, first seen at this instant.
    pub(crate) async fn new(jobs: &[Job], now: &str) -> Self {
        let database = TestDatabase::create("ticker").await;
        let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default())
            .await
            .unwrap();
        warehouse.migrate().await.unwrap();
        let clock = Clock::fixed(at(now));
        let schedules: BTreeMap<_, _> = jobs.iter().map(|job| (*job, Schedule::default_of(*job))).collect();
        let setup = Self {
            ticker: Ticker::new(warehouse.clone(), clock.clone(), schedules),
            warehouse,
            clock,
            _database: database,
        };
        let first = setup.turn(now).await;
        assert!(
            first.started.is_empty(),
            "a new installation catches nothing up: {first:?}"
        );
        setup
    }

    /// Another process's ticker, with a clock of its own.
    pub(crate) fn another(&self, jobs: &[Job], now: &str) -> (Ticker, Clock) {
        let clock = Clock::fixed(at(now));
        let schedules = jobs.iter().map(|job| (*job, Schedule::default_of(*job))).collect();
        (Ticker::new(self.warehouse.clone(), clock.clone(), schedules), clock)
    }

    /// A turn at this instant.
    pub(crate) async fn turn(&self, now: &str) -> Turn {
        self.clock.set(at(now));
        self.ticker.turn().await.unwrap()
    }

    /// Claims the oldest queued run.
    pub(crate) async fn claim(&self, now: Instant) -> Option<(Uuid, Uuid)> {
        let run_id = self.warehouse.next_queued().await.unwrap()?;
        let owner = Uuid::new_v4();
        self.warehouse.claim(run_id, owner, now).await.unwrap().unwrap();
        Some((run_id, owner))
    }

    /// Publishes every queued run, and lets tickers queue more until none does.
    pub(crate) async fn work(&self) {
        let now = self.clock.now();
        loop {
            while let Some((run_id, owner)) = self.claim(now).await {
                let done = Publication {
                    run_id,
                    owner,
                    at: now,
                    tables: Vec::new(),
                    partitions: Vec::new(),
                    watermarks: Vec::new(),
                    noted: Vec::new(),
                    settled: Vec::new(),
                    event_files: Vec::new(),
                    events_since: None,
                    outcome: outcome(RunStatus::Completed, false),
                };
                let published = self.warehouse.publish(&done, || async { Ok::<_, std::fmt::Error>(()) });
                published.await.unwrap();
            }
            if self.ticker.turn().await.unwrap().started.is_empty() {
                return;
            }
        }
    }

    /// Ends a claimed run without publishing.
    pub(crate) async fn end(&self, (run_id, owner): (Uuid, Uuid), status: RunStatus, transient: bool) {
        let outcome = outcome(status, transient);
        assert!(
            self.warehouse
                .finish(run_id, owner, self.clock.now(), outcome)
                .await
                .unwrap()
        );
    }

    pub(crate) async fn run(&self, run_id: Uuid) -> Run {
        self.warehouse.run(run_id).await.unwrap().unwrap()
    }

    /// The runs of a job in the order in which they were asked for.
    pub(crate) async fn runs(&self, job: Job) -> Vec<Run> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("select id from etl_job_runs where job_name = $1 order by requested_at, id")
                .bind(job.as_str())
                .fetch_all(self.warehouse.pool())
                .await
                .unwrap();
        let mut runs = Vec::new();
        for id in ids {
            runs.push(self.run(id).await);
        }
        runs
    }

    /// The ledger of a job in short.
    pub(crate) async fn told(&self, job: Job) -> Vec<Told> {
        self.runs(job).await.iter().map(told).collect()
    }
}

pub(crate) fn told(run: &Run) -> Told {
    let interval = kindred_model::Interval::new(run.interval_start, run.interval_end).unwrap();
    (run.trigger.to_string(), run.status.to_string(), interval.to_string())
}

pub(crate) fn row(trigger: &str, status: &str, interval: &str) -> Told {
    (trigger.to_owned(), status.to_owned(), interval.to_owned())
}

fn outcome(status: RunStatus, transient: bool) -> RunOutcome {
    RunOutcome {
        status,
        records_read: 0,
        records_processed: 0,
        error_message: None,
        checks: serde_json::json!([]),
        steps: Vec::new(),
        transient,
    }
}
