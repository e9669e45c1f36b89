//! `kindred backfill JOB --from A --to B`

use std::io::Write;

use kindred_model::DayWindow;

use crate::cli::BackfillArgs;
use crate::progress::BackfillBar;
use crate::settings::Settings;
use crate::{platform, shutdown};

pub(crate) async fn backfill(settings: &Settings, arguments: &BackfillArgs) -> anyhow::Result<()> {
    let window = DayWindow::new(arguments.from, arguments.to)?;
    let opened = platform::open(settings).await?;
    let bar = BackfillBar::new(arguments.job);
    let stop = shutdown::token()?;
    let (job, mode) = (arguments.job, arguments.mode);
    let work = kindred_jobs::backfill(&opened.platform, job, window, mode, &stop, |at| bar.show(at));
    let ended = Box::pin(work).await;
    opened.close().await?;
    let report = ended?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} days in {} runs, {} rows",
        report.days,
        report.runs.len(),
        report.rows
    )?;
    if report.partial {
        eprintln!("kindred: published, but an optional source did not answer: see etl_job_runs.error_message");
    }
    Ok(())
}
