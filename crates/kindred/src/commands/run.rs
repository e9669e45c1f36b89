//! `kindred run JOB`

use std::io::Write;

use anyhow::Context;
use chrono::Days;
use kindred_jobs::run_now;
use kindred_model::{DayWindow, Instant, RunStatus, Trigger};
use kindred_warehouse::{Run, RunRequest, StepRecord};
use serde::Deserialize;

use crate::cli::RunArgs;
use crate::settings::Settings;
use crate::{platform, shutdown};

pub(crate) async fn run(settings: &Settings, arguments: &RunArgs) -> anyhow::Result<()> {
    let asked = arguments.window()?;
    let opened = platform::open(settings).await?;
    let now = opened.platform.clock.now();
    let request = RunRequest {
        job: arguments.job,
        interval: asked.unwrap_or_else(|| without_a_date(now)).into(),
        trigger: Trigger::Manual,
        dry_run: arguments.dry_run,
        at: now,
    };
    let stop = shutdown::token()?;
    let ended = Box::pin(run_now(&opened.platform, &request, &stop)).await;
    opened.close().await?;
    print(&ended?)
}

/// Yesterday, and today so far.
pub(crate) fn without_a_date(now: Instant) -> DayWindow {
    let today = now.date_naive();
    DayWindow::day(today - Days::new(1)).union(DayWindow::day(today))
}

/// Prints a run as it stands in the ledger.
fn print(run: &Run) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let to = run.interval_end.date_naive();
    writeln!(out, "run       {}", run.id)?;
    writeln!(
        out,
        "job       {}{}",
        run.job,
        if run.dry_run { " (dry run)" } else { "" }
    )?;
    writeln!(out, "days      {} to {to} (exclusive)", run.interval_start.date_naive())?;
    writeln!(out, "status    {}", run.status)?;
    writeln!(out, "read      {} rows", run.records_read)?;
    writeln!(out, "computed  {} rows", run.records_processed)?;
    if let Some(milliseconds) = run.execution_time_ms {
        writeln!(out, "took      {milliseconds} ms")?;
    }
    let steps = Vec::<StepRecord>::deserialize(&run.steps).context("the run's steps in etl_job_runs cannot be read")?;
    for step in &steps {
        if let Some(ended) = step.ended_at {
            let length = (ended - step.started_at).num_milliseconds();
            writeln!(out, "  {:<8}{length:>6} ms", step.name)?;
        }
    }
    if run.status == RunStatus::Partial {
        eprintln!(
            "kindred: published, but {}",
            run.error_message.as_deref().unwrap_or("something was missing")
        );
    }
    Ok(())
}
