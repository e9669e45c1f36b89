//! `kindred serve [api|etl]`

use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use kindred_api::{Access, AnswerCache, ApiState};
use kindred_jobs::Worker;
use kindred_ticker::Ticker;
use kindred_warehouse::{ConnectOptions, Warehouse};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Part;
use crate::platform::Opened;
use crate::probe::probe;
use crate::settings::{self, Settings};
use crate::{platform, shutdown};

/// A request takes 15 s at most, and so does a statement that answers it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// Threads that answer requests.
const HTTP_THREADS: usize = 2;

pub(crate) async fn serve(settings: &Settings, part: Option<Part>) -> anyhow::Result<()> {
    let stop = shutdown::token()?;
    let opened = platform::open(settings).await?;
    let served = bind_and_run(settings, part, &opened, stop).await;
    let closed = opened.close().await;
    served.and(closed)
}

async fn bind_and_run(
    settings: &Settings,
    part: Option<Part>,
    opened: &Opened,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    Servers::bind(settings, part).await?.run(settings, opened, stop).await
}

/// The listeners, bound before anything is promised.
pub(crate) struct Servers {
    kpi: Option<TcpListener>,
    control: Option<TcpListener>,
}

impl Servers {
    pub(crate) async fn bind(settings: &Settings, part: Option<Part>) -> anyhow::Result<Self> {
        let bind = settings.servers.bind;
        let kpi = if part == Some(Part::Etl) {
            None
        } else {
            Some(listen(bind, settings.servers.api_port, "API_PORT").await?)
        };
        let control = if part == Some(Part::Api) {
            None
        } else {
            Some(listen(bind, settings.servers.etl_port, "ETL_PORT").await?)
        };
        Ok(Self { kpi, control })
    }

    /// Where the KPI API and the ETL control API listen.
    pub(crate) fn addresses(&self) -> anyhow::Result<(Option<SocketAddr>, Option<SocketAddr>)> {
        let address = |listener: &Option<TcpListener>| listener.as_ref().map(TcpListener::local_addr).transpose();
        Ok((address(&self.kpi)?, address(&self.control)?))
    }

    /// Serves until `stop`, then lets requests finish and cancels the run under way.
    pub(crate) async fn run(self, settings: &Settings, opened: &Opened, stop: CancellationToken) -> anyhow::Result<()> {
        // Answers have threads of their own: a run may keep the others busy for as long as it likes.
        let http = Builder::new_multi_thread()
            .worker_threads(HTTP_THREADS)
            .thread_name("http")
            .enable_all()
            .build();
        let http = http.context("the servers' runtime could not be started")?;
        let (url, options) = platform::warehouse_address(settings, opened.embedded.as_ref(), "kindred api")?;
        let options = ConnectOptions {
            statement_timeout: Some(STATEMENT_TIMEOUT),
            ..options
        };
        let warehouse = {
            let _context = http.enter();
            Warehouse::connect_lazy(&url, &options)?
        };
        let mut state = ApiState::new(warehouse.clone(), opened.platform.clock.clone())
            .with_schedules(
                settings
                    .schedules
                    .iter()
                    .map(|(job, cron)| (*job, cron.to_string()))
                    .collect(),
            )
            .with_user_keys({
                let keys = platform::user_keys(settings)?;
                move |id| keys.of_id(id)
            })
            .with_sources(probe(Arc::clone(&opened.platform)))
            .with_access(Access::new(
                settings.servers.access.tokens.clone(),
                settings.servers.access.frontend.clone(),
            ));
        let (mut tasks, mut housekeeping) = (JoinSet::new(), JoinSet::new());
        if let Some(listener) = self.kpi {
            announce("KPI API", &listener)?;
            let cache = AnswerCache::new(settings.servers.cache_ttl);
            keep_true(&mut housekeeping, http.handle(), settings, &cache, &warehouse);
            state = state.with_cache(cache);
            let router = kindred_api::kpi_router(state.clone());
            tasks.spawn_on(serve_one(listener.into_std()?, router, stop.clone()), http.handle());
        }
        if let Some(listener) = self.control {
            announce("ETL control API", &listener)?;
            let router = kindred_api::control_router(state);
            tasks.spawn_on(serve_one(listener.into_std()?, router, stop.clone()), http.handle());
            let worker = Worker::new(opened.platform.clone());
            let platform = &opened.platform;
            let ticker = Ticker::new(
                platform.warehouse.clone(),
                platform.clock.clone(),
                settings.schedules.clone(),
            );
            let (working, ticking) = (stop.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::join!(worker.work(working), ticker.run(ticking));
                Ok(())
            });
        }
        say_who_may_call(&settings.servers);
        let mut ended = Ok(());
        while let Some(task) = tasks.join_next().await {
            // One that fails takes the others with it.
            let result = task.context("a server's task panicked").and_then(|result| result);
            if result.is_err() && ended.is_ok() {
                stop.cancel();
                ended = result;
            }
        }
        housekeeping.shutdown().await;
        warehouse.pool().close().await;
        http.shutdown_background();
        ended
    }
}

/// Clears away answers whose time is over, and all of them when a run has published.
fn keep_true(
    tasks: &mut JoinSet<()>,
    runtime: &Handle,
    settings: &Settings,
    cache: &AnswerCache,
    warehouse: &Warehouse,
) {
    let (swept, period) = (cache.clone(), settings.servers.cache_check_period);
    tasks.spawn_on(async move { swept.sweep_every(period).await }, runtime);
    let (emptied, warehouse) = (cache.clone(), warehouse.clone());
    let emptying = async move { kindred_api::forget_what_is_published_anew(&warehouse, &emptied).await };
    tasks.spawn_on(emptying, runtime);
}

fn say_who_may_call(servers: &settings::Servers) {
    let tokens = servers.access.tokens.len();
    if tokens > 0 {
        tracing::info!(tokens, "callers need a token of API_TOKENS");
    } else if servers.bind.is_loopback() {
        tracing::info!("on loopback everything is open to whoever is on this machine");
    } else {
        tracing::warn!(
            "ALLOW_ANONYMOUS is true: everything is open to whoever can reach {}",
            servers.bind
        );
    }
}

pub(super) async fn serve_one(listener: StdListener, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    kindred_api::serve(TcpListener::from_std(listener)?, router, stop.cancelled_owned())
        .await
        .context("a server's listener failed")
}

pub(super) async fn listen(bind: IpAddr, port: u16, setting: &str) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(bind, port);
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: is another process using the port? ({setting})"))
}

pub(super) fn announce(what: &str, listener: &TcpListener) -> anyhow::Result<()> {
    tracing::info!("{what} listens on http://{}", listener.local_addr()?);
    Ok(())
}
