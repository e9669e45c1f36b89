//! A platform of one test: a copy of simulated sources, a warehouse, a lake in a folder, and a clock that stands still.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressDrawTarget};
use kindred_engine::{Engine, EngineOptions, QueryLibrary};
use kindred_extract::{
    EventSource, EventsConfig, MixpanelSettings, PostgresSource, PropertyList, SourceConfig, UserKeys, embedded_queries,
};
use kindred_jobs::{BackfillReport, FunnelSpec, JobError, JobSettings, Platform, backfill, run_now};
use kindred_lake::Lake;
use kindred_model::{BackfillMode, Clock, DayWindow, Instant, Job, Source, Trigger};
use kindred_simulator::{MODEL, Population, Targets};
use kindred_testkit::{Template, TestDatabase, day};
use kindred_warehouse::{ConnectOptions, Run, RunRequest, Warehouse};
use secrecy::SecretString;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Where each source is; one that is missing is not configured. Events come from the interactions database when nothing
/// else is said of them.
pub(crate) type Sources = BTreeMap<Source, String>;

/// Everything that one test works with.
pub(crate) struct World {
    pub(crate) source: Arc<TestDatabase>,
    pub(crate) warehouse: TestDatabase,
    pub(crate) folder: TempDir,
    pub(crate) platform: Arc<Platform>,
}

/// The simulated history of all four sources in one database, written once for all tests that ask for the same.
pub(crate) async fn simulated(population: Population) -> Template {
    let Population {
        users,
        days,
        seed,
        until,
    } = population;
    let name = format!("sim_{MODEL}_{users}_{days}_{seed}_{}", until.format("%y%m%d%H%M"));
    Template::once(&name, async |url: String| {
        let targets = Targets {
            users: url.clone(),
            interactions: url.clone(),
            communications: url.clone(),
            moderation: Some(url),
        };
        let hidden = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        kindred_simulator::simulate(&population, &targets, &hidden)
            .await
            .map(drop)
    })
    .await
}

impl World {
    /// A platform over a copy of the template, with an empty warehouse and an empty lake.
    pub(crate) async fn new(template: &Template, now: Instant) -> Self {
        let source = Arc::new(TestDatabase::from_template(template, "source").await);
        Self::over(source, now, |_| {}).await
    }

    /// Another platform over the same sources, with an empty warehouse and an empty lake, at the same time.
    pub(crate) async fn afresh(&self) -> Self {
        Self::over(Arc::clone(&self.source), self.platform.clock.now(), |_| {}).await
    }

    /// A platform over these sources, each in the one database unless `change` says otherwise.
    pub(crate) async fn over(source: Arc<TestDatabase>, now: Instant, change: impl FnOnce(&mut Sources)) -> Self {
        let migrated = Template::once("warehouse_7", async |url: String| {
            warehouse(&url).await.migrate().await.map(drop)
        })
        .await;
        let database = TestDatabase::from_template(&migrated, "warehouse").await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(now);
        let platform = platform(&source, &database, &folder, clock, change).await;
        Self {
            source,
            warehouse: database,
            folder,
            platform,
        }
    }

    /// The same warehouse, lake and clock, with other sources.
    pub(crate) async fn with_sources(&mut self, change: impl FnOnce(&mut Sources)) {
        let clock = self.platform.clock.clone();
        self.platform = platform(&self.source, &self.warehouse, &self.folder, clock, change).await;
    }

    /// The lake's folder.
    pub(crate) fn lake(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// Changes the sources.
    pub(crate) async fn change(&self, sql: &str) {
        run_sql(&self.source, sql).await;
    }

    /// A scheduled run over `[from, to)`.
    pub(crate) async fn run(&self, from: &str, to: &str) -> Result<Run, JobError> {
        self.run_as(from, to, false, &CancellationToken::new()).await
    }

    pub(crate) async fn run_as(
        &self,
        from: &str,
        to: &str,
        dry_run: bool,
        cancel: &CancellationToken,
    ) -> Result<Run, JobError> {
        run_now(&self.platform, &self.request(from, to, dry_run), cancel).await
    }

    pub(crate) fn request(&self, from: &str, to: &str, dry_run: bool) -> RunRequest {
        RunRequest {
            job: Job::Daily,
            interval: DayWindow::new(day(from), day(to)).unwrap().into(),
            trigger: Trigger::Schedule,
            dry_run,
            at: self.platform.clock.now(),
        }
    }

    /// Computes all days of `[from, to)`.
    pub(crate) async fn backfill(&self, from: &str, to: &str) -> Result<BackfillReport, JobError> {
        self.backfill_job(Job::Daily, from, to).await
    }

    /// The same for any job.
    pub(crate) async fn backfill_job(&self, job: Job, from: &str, to: &str) -> Result<BackfillReport, JobError> {
        let window = DayWindow::new(day(from), day(to)).unwrap();
        let stop = CancellationToken::new();
        backfill(&self.platform, job, window, BackfillMode::All, &stop, |_| {}).await
    }

    /// A run of a job as somebody asks for it who gives no date.
    pub(crate) async fn trigger(&self, job: Job) -> Result<Run, JobError> {
        let at = self.platform.clock.now();
        let request = RunRequest {
            job,
            interval: job.default_interval(at),
            trigger: Trigger::Manual,
            dry_run: false,
            at,
        };
        run_now(&self.platform, &request, &CancellationToken::new()).await
    }

    /// One value that the warehouse answers, as text.
    pub(crate) async fn ask(&self, sql: &str) -> Option<String> {
        let answer = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(self.warehouse.pool());
        let answer: Result<Option<Option<String>>, _> = answer.await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error}")).flatten()
    }
}

/// Runs statements.
pub(crate) async fn run_sql(database: &TestDatabase, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn warehouse(url: &str) -> Warehouse {
    let url = SecretString::from(url.to_owned());
    Warehouse::connect(&url, &ConnectOptions::default()).await.unwrap()
}

async fn platform(
    source: &TestDatabase,
    database: &TestDatabase,
    folder: &TempDir,
    clock: Clock,
    change: impl FnOnce(&mut Sources),
) -> Arc<Platform> {
    let mut sources: Sources = Source::DATABASES.iter().map(|name| (*name, source.url())).collect();
    change(&mut sources);
    let keys = UserKeys::new("a secret for tests alone").unwrap();
    let elsewhere = sources.remove(&Source::Events);
    let events = elsewhere.or_else(|| sources.get(&Source::Interactions).cloned());
    let events = events.map(|url| {
        let config = EventsConfig {
            address: SecretString::from(url),
            keys: keys.clone(),
            properties: PropertyList::default(),
            queries: embedded_queries(Source::Events),
            deadline: Duration::from_secs(60),
            batch_rows: 4096,
            queue_batches: 4,
            store_options: Vec::new(),
            mixpanel: MixpanelSettings::default(),
        };
        EventSource::new(config).unwrap()
    });
    let sources = sources.into_iter().map(|(name, url)| {
        let config = SourceConfig {
            source: name,
            url: SecretString::from(url),
            keys: keys.clone(),
            queries: embedded_queries(name),
            deadline: Duration::from_secs(60),
            batch_rows: 4096,
            queue_batches: 4,
        };
        (name, PostgresSource::new(config).unwrap())
    });
    let engine = EngineOptions {
        memory_limit: 512 << 20,
        spill_folder: folder.path().join("spill"),
        deadline: Duration::from_secs(60),
        target_partitions: 2,
    };
    Arc::new(Platform {
        clock,
        sources: sources.collect(),
        events,
        lake: Lake::open(folder.path().join("lake").to_str().unwrap(), []).unwrap(),
        engine: Engine::new(engine).unwrap(),
        queries: QueryLibrary::embedded().unwrap(),
        warehouse: warehouse(&database.url()).await,
        webhook: None,
        settings: JobSettings {
            currency: "USD".to_owned(),
            history_since: None,
            events_warehouse_days: 35,
            events_lake_days: None,
            funnels: vec![FunnelSpec::onboarding(14)],
        },
    })
}
