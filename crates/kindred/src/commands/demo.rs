//! `kindred demo`: a simulated dating platform with its figures, served at once.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use chrono::Days;
use kindred_jobs::{JobError, Platform, describe};
use kindred_model::{BackfillMode, DayWindow, Job, Source};
use kindred_simulator::{Population, SimulatorError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::following::Following;
use super::serve::Servers;
use super::simulate::targets;
use crate::cli::DemoArgs;
use crate::exit::Usage;
use crate::platform::Opened;
use crate::progress::{BARS, BackfillBar};
use crate::settings::Settings;
use crate::{platform, shutdown};

/// So few missing days are computed while the servers answer already.
const FEW_DAYS: usize = 7;

/// What the key figures take; the other jobs are done while the servers answer already.
const FIRST: &[Job] = &[Job::Daily];

pub(crate) async fn demo(settings: &Settings, arguments: &DemoArgs) -> anyhow::Result<()> {
    if settings.storage.warehouse.is_some() || !settings.sources.addresses.is_empty() {
        let only = "the demo runs on the embedded server alone: unset DATABASE_URL and the sources' addresses";
        return Err(Usage(only.to_owned()).into());
    }
    let stop = shutdown::token()?;
    let opened = platform::open(settings).await?;
    let shown = show(settings, &opened, arguments, stop).await;
    let closed = opened.close().await;
    shown.and(closed)
}

async fn show(
    settings: &Settings,
    opened: &Opened,
    arguments: &DemoArgs,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let servers = Servers::bind(settings, None).await?;
    tokio::select! {
        populated = populate(settings, opened, arguments) => populated?,
        () = stop.cancelled() => return Ok(()),
    }
    fill_and_serve(settings, opened, arguments, servers, stop).await
}

async fn fill_and_serve(
    settings: &Settings,
    opened: &Opened,
    arguments: &DemoArgs,
    servers: Servers,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let days = history(&opened.platform, arguments);
    let mut rest = Job::ALL.to_vec();
    if missing_days(&opened.platform, days).await? > FEW_DAYS {
        rest.retain(|job| !FIRST.contains(job));
        match fill(&opened.platform, FIRST, days, &stop).await {
            // The next start goes on where this one was stopped.
            Err(JobError::Cancelled) => return Ok(()),
            filled => filled?,
        }
    }
    // The platform goes on only now: it has to live through its history once more first, at the figures' expense.
    let following = if arguments.still {
        None
    } else {
        let targets = targets(settings, opened.embedded.as_ref())?;
        let clock = opened.platform.clock.clone();
        Some(Following::start(targets, clock, stop.child_token()))
    };
    welcome(settings, &servers)?;
    let catching_up = catch_up(opened.platform.clone(), rest, days, stop.clone());
    let served = servers.run(settings, opened, stop).await;
    catching_up.await.context("the backfill's task panicked")?;
    if let Some(following) = following {
        following.stop().await;
    }
    served
}

/// Simulates a platform, unless an earlier start did.
async fn populate(settings: &Settings, opened: &Opened, arguments: &DemoArgs) -> anyhow::Result<()> {
    let options = arguments.population;
    let until = opened.platform.clock.now();
    let population = Population {
        users: options.users,
        days: options.days,
        seed: options.seed,
        until,
    };
    let targets = targets(settings, opened.embedded.as_ref())?;
    match kindred_simulator::simulate(&population, &targets, &BARS).await {
        Ok(summary) => {
            tracing::info!(
                users = options.users,
                days = options.days,
                rows = summary.rows(),
                "a platform was simulated"
            );
        }
        Err(SimulatorError::Occupied {
            database: Source::Users,
            ..
        }) => tracing::info!("the simulated platform of an earlier start is kept"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The days of the history, today included.
fn history(platform: &Platform, arguments: &DemoArgs) -> DayWindow {
    let today = platform.clock.now().date_naive();
    let first = today - Days::new(arguments.population.days.into());
    DayWindow::day(first).union(DayWindow::day(today))
}

/// Closed days without figures.
async fn missing_days(platform: &Platform, days: DayWindow) -> anyhow::Result<usize> {
    let done = platform.warehouse.completed_days(Job::Daily, days).await?;
    let today = platform.clock.now().date_naive();
    Ok(days.days().filter(|day| *day < today && !done.contains(day)).count())
}

/// Computes what these jobs have not computed, with a bar each, today so far included.
async fn fill(
    platform: &Arc<Platform>,
    jobs: &[Job],
    days: DayWindow,
    stop: &CancellationToken,
) -> Result<(), JobError> {
    for job in jobs {
        let bar = BackfillBar::new(*job);
        let work = kindred_jobs::backfill(platform, *job, days, BackfillMode::Missing, stop, |at| {
            bar.show(at);
        });
        Box::pin(work).await?;
    }
    Ok(())
}

/// Computes what these jobs have not computed, while the servers answer already.
fn catch_up(platform: Arc<Platform>, jobs: Vec<Job>, days: DayWindow, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        match Box::pin(fill(&platform, &jobs, days, &stop)).await {
            Ok(()) => tracing::info!("every table is filled"),
            Err(JobError::Cancelled) => {}
            Err(error) => tracing::warn!(error = describe(&error), "not every table could be filled"),
        }
    })
}

fn welcome(settings: &Settings, servers: &Servers) -> anyhow::Result<()> {
    let (Some(kpi), Some(control)) = servers.addresses()? else {
        return Ok(());
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\nThe figures are ready. In another terminal:\n\n  \
         curl -s http://{kpi}/kpis/overview\n  \
         curl -s 'http://{kpi}/kpis/active-users?granularity=daily&range=30d'\n  \
         curl -s -X POST http://{control}/trigger/daily\n\n\
         Behaviour, hours, cohorts and sessions follow on the first start: `every table is filled`, says the log.\n\
         Parquet: {}\n\
         Ctrl-C stops the servers and the database; the data is kept in {}.\n",
        settings.storage.lake,
        settings.storage.state_dir.display(),
    )?;
    out.flush()?;
    Ok(())
}
