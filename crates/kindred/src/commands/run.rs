//! `kindred run JOB`

use std::io::Write;

use anyhow::Context;
use kindred_jobs::run_now;
use kindred_model::{Clock, DayWindow, Interval, RunStatus, Trigger};
use kindred_warehouse::{Run, RunRequest, StepRecord};
use serde::Deserialize;

use crate::cli::RunArgs;
use crate::settings::Settings;
use crate::{platform, shutdown};

pub(crate) async fn run(settings: &Settings, arguments: &RunArgs) -> anyhow::Result<()> {
    // Before anything is started: a mistake costs nothing.
    arguments.interval(Clock::system().now())?;
    let opened = platform::open(settings).await?;
    let now = opened.platform.clock.now();
    let request = RunRequest {
        job: arguments.job,
        interval: arguments.interval(now)?,
        trigger: Trigger::Manual,
        dry_run: arguments.dry_run,
        at: now,
    };
    let stop = shutdown::token()?;
    let ended = Box::pin(run_now(&opened.platform, &request, &stop)).await;
    opened.close().await?;
    print(&ended?)
}

/// Prints a run as it stands in the ledger.
fn print(run: &Run) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "run       {}", run.id)?;
    writeln!(
        out,
        "job       {}{}",
        run.job,
        if run.dry_run { " (dry run)" } else { "" }
    )?;
    writeln!(out, "{}", covered(run)?)?;
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

/// What a run covers: days, or parts of them.
fn covered(run: &Run) -> anyhow::Result<String> {
    let interval = Interval::new(run.interval_start, run.interval_end)?;
    let days: DayWindow = interval.days();
    Ok(if Interval::from(days) == interval {
        format!("days      {} to {} (exclusive)", days.from(), days.to())
    } else {
        format!("window    {interval} (exclusive)")
    })
}
