//! A warehouse, both servers on it, and what a test writes into the one and asks of the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kindred_api::{Access, AnswerCache, ApiState, Reach, control_router, kpi_router, serve};
use kindred_model::{Clock, DayWindow, Instant, Job, RunStatus, Source, Trigger};
use kindred_testkit::{Template, TestDatabase, at, day};
use kindred_warehouse::{ConnectOptions, Publication, RunOutcome, RunRequest, Warehouse};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A Sunday afternoon.
pub(crate) const NOW: &str = "2024-11-17T14:35:07.250Z";

pub(crate) struct Servers {
    pub(crate) warehouse: Warehouse,
    pub(crate) clock: Clock,
    kpi: String,
    control: String,
    client: reqwest::Client,
    /// What a look at a source finds, `None`: it never ends. Those that do not stand here answer.
    pub(crate) sources: Arc<Mutex<BTreeMap<Source, Option<Reach>>>>,
    /// How often a source was looked at.
    pub(crate) looks: Arc<AtomicUsize>,
    _database: Option<TestDatabase>,
}

impl Servers {
    /// Both servers on a migrated, empty warehouse; their clock stands at [`NOW`], and they keep no answer.
    pub(crate) async fn start() -> Self {
        Self::caching(Duration::ZERO).await
    }

    /// The same, with answers kept for so long.
    pub(crate) async fn caching(ttl: Duration) -> Self {
        Self::keeping(AnswerCache::new(ttl)).await
    }

    /// The same, with answers kept there.
    pub(crate) async fn keeping(cache: AnswerCache) -> Self {
        Self::migrated(cache, Access::default()).await
    }

    /// The same, keeping no answer, for those who may call.
    pub(crate) async fn open_to(access: Access) -> Self {
        Self::migrated(AnswerCache::new(Duration::ZERO), access).await
    }

    async fn migrated(cache: AnswerCache, access: Access) -> Self {
        let template = Template::once("api_0007", async |url| {
            let warehouse = Warehouse::connect(&url.into(), &ConnectOptions::default()).await?;
            warehouse.migrate().await
        });
        let database = TestDatabase::from_template(&template.await, "api").await;
        let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default())
            .await
            .unwrap();
        Self::on(warehouse, Some(database), cache, access).await
    }

    /// Both servers on a warehouse that is not there.
    pub(crate) async fn without_warehouse() -> Self {
        let options = ConnectOptions {
            acquire_timeout: Duration::from_millis(300),
            ..ConnectOptions::default()
        };
        let url = "postgresql://ann:s3cret-word@127.0.0.1:1/analytics".into();
        let warehouse = Warehouse::connect_lazy(&url, &options).unwrap();
        Self::on(warehouse, None, AnswerCache::new(Duration::ZERO), Access::default()).await
    }

    /// Both servers on a warehouse without a table.
    pub(crate) async fn unmigrated() -> Self {
        let database = TestDatabase::create("api").await;
        let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default())
            .await
            .unwrap();
        Self::on(
            warehouse,
            Some(database),
            AnswerCache::new(Duration::ZERO),
            Access::default(),
        )
        .await
    }

    async fn on(warehouse: Warehouse, database: Option<TestDatabase>, cache: AnswerCache, access: Access) -> Self {
        let clock = Clock::fixed(at(NOW));
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let sources = Arc::new(Mutex::new(BTreeMap::from([(Source::Moderation, Some(Reach::Unasked))])));
        let found = Arc::clone(&sources);
        let state = ApiState::new(warehouse.clone(), clock.clone())
            .with_cache(cache)
            .with_access(access)
            .with_schedules(BTreeMap::from([(Job::Daily, "0 1 * * *".to_owned())]))
            .with_user_keys(|id| i64::try_from(id.len()).unwrap())
            .with_sources(move |source| {
                counted.fetch_add(1, Ordering::SeqCst);
                let found = found.lock().unwrap().get(&source).copied();
                match found.unwrap_or(Some(Reach::Answers)) {
                    Some(reach) => Box::pin(async move { reach }),
                    None => Box::pin(std::future::pending()),
                }
            });
        let kpi = listening(kpi_router(state.clone())).await;
        let control = listening(control_router(state)).await;
        Self {
            warehouse,
            clock,
            kpi,
            control,
            client: reqwest::Client::new(),
            sources,
            looks,
            _database: database,
        }
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn kpi_url(&self, path: &str) -> String {
        format!("{}{path}", self.kpi)
    }

    pub(crate) fn control_url(&self, path: &str) -> String {
        format!("{}{path}", self.control)
    }

    pub(crate) async fn kpi(&self, method: Method, path: &str) -> Response {
        self.client.request(method, self.kpi_url(path)).send().await.unwrap()
    }

    pub(crate) async fn control(&self, method: Method, path: &str) -> Response {
        self.client
            .request(method, self.control_url(path))
            .send()
            .await
            .unwrap()
    }

    /// The answer of the KPI API, which must be 200.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.kpi(Method::GET, path).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.warehouse.pool()).await.unwrap();
    }

    /// The answer of the ETL control API, which must be of this status.
    pub(crate) async fn answer(&self, method: Method, path: &str, status: u16) -> Value {
        body(self.control(method, path).await, status).await
    }

    /// The answer to a body sent to the ETL control API.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(self.control_url(path)).json(body);
        request.send().await.unwrap()
    }

    /// A run that is wanted, over these days, and nothing more.
    pub(crate) async fn queued(&self, job: Job, from: &str, to: &str) -> Uuid {
        let request = RunRequest {
            job,
            interval: DayWindow::new(day(from), day(to)).unwrap().into(),
            trigger: Trigger::Schedule,
            dry_run: false,
            at: self.clock.now(),
        };
        self.warehouse.request(&request).await.unwrap()
    }

    /// A run that ended so.
    pub(crate) async fn ended(&self, job: Job, status: RunStatus) -> Uuid {
        let run_id = self.queued(job, "2024-11-16", "2024-11-17").await;
        let (owner, now) = (Uuid::new_v4(), self.clock.now());
        self.warehouse.claim(run_id, owner, now).await.unwrap().unwrap();
        assert!(
            self.warehouse
                .finish(run_id, owner, now, outcome(status))
                .await
                .unwrap()
        );
        run_id
    }

    /// Says that every required source was read up to here.
    pub(crate) async fn extracted_to(&self, instant: Instant) {
        sqlx::query(
            "insert into source_watermarks
             select source, 'dataset of ' || source, $1, $1 - interval '1 minute', 5, 'fingerprint', gen_random_uuid()
             from unnest(array['users', 'interactions', 'communications', 'events']) as source",
        )
        .bind(instant)
        .execute(self.warehouse.pool())
        .await
        .unwrap();
    }
}

/// A closed day with so many active users, and nothing else.
pub(crate) async fn day_of_key_figures(servers: &Servers, day: &'static str, active_users: i64) {
    sqlx::query(
        "insert into daily_kpi_summaries
         select $1::date, $2, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, null, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null,
             0, 0, 0, 0, 0, 0, null, null, false, gen_random_uuid(), now()",
    )
    .bind(kindred_testkit::day(day))
    .bind(active_users)
    .execute(servers.warehouse.pool())
    .await
    .unwrap();
}

/// A run that publishes, and changes nothing.
pub(crate) async fn publish_nothing(servers: &Servers) {
    let run_id = servers.queued(Job::Daily, "2024-11-16", "2024-11-17").await;
    let (owner, at) = (Uuid::new_v4(), servers.clock.now());
    servers.warehouse.claim(run_id, owner, at).await.unwrap().unwrap();
    let publication = Publication {
        run_id,
        owner,
        at,
        tables: Vec::new(),
        partitions: Vec::new(),
        watermarks: Vec::new(),
        noted: Vec::new(),
        settled: Vec::new(),
        event_files: Vec::new(),
        events_since: None,
        outcome: outcome(RunStatus::Completed),
    };
    let swap = async || Ok::<_, std::io::Error>(());
    servers.warehouse.publish(&publication, swap).await.unwrap();
}

pub(crate) fn outcome(status: RunStatus) -> RunOutcome {
    RunOutcome {
        status,
        records_read: 120,
        records_processed: 9,
        error_message: (status == RunStatus::Failed).then(|| "the users database is down".to_owned()),
        checks: json!([{"check": "lifecycle_sum", "passed": true}]),
        steps: Vec::new(),
        transient: false,
    }
}

/// The body of an answer, which must be of this status.
pub(crate) async fn body(response: Response, status: u16) -> Value {
    let answered = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert_eq!(answered, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn listening(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, router, std::future::pending()));
    address
}

/// Asserts that the answer is a problem document of this status, and returns it.
pub(crate) async fn problem(response: Response, status: u16) -> Value {
    let headers = response.headers().clone();
    let answered = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert_eq!(answered, status, "{text}");
    assert_eq!(headers["content-type"], "application/problem+json", "{text}");
    assert!(!headers["x-request-id"].is_empty());
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    for inside in [
        "sqlx",
        "postgres",
        "s3cret",
        "127.0.0.1",
        "etl_job_runs",
        "daily_kpi_summaries",
    ] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
    problem
}
