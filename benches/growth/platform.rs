//! A platform on the evening before a run: its sources, and a warehouse and a lake that a backfill has filled from them.
//!
//! A run works on a copy of both, so that each begins on the same evening.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use kindred_benches::steps::{self, Step};
use kindred_benches::{evening, figures};
use kindred_testkit::{Template, TestDatabase};
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;

use crate::calendar::Calendar;
use crate::process::{self, Ran};
use crate::sources::{Size, Sources};

/// The sources, and the evening that runs begin on.
pub(crate) struct Platform {
    pub(crate) sources: Sources,
    /// The warehouse of the evening.
    warehouse: Template,
    home: TempDir,
}

impl Platform {
    /// Fills the sources up to an instant, and lets a backfill of `job` fill warehouse and lake from them.
    #[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
    pub(crate) async fn build(calendar: &Calendar, size: Size, job: &str, until: &str) -> anyhow::Result<Self> {
        let began = Instant::now();
        let home = tempfile::Builder::new()
            .prefix("growth-")
            .tempdir_in(figures::folder()?)?;
        let first = calendar.first(size.days).to_string();
        let sources = Box::pin(Sources::create(calendar, size)).await?;
        sources.live(&format!("{first}T00:00:00Z"), until, size.volume).await?;
        let filled = began.elapsed();
        let name = format!("growth_{}", Uuid::new_v4().simple());
        let warehouse = Box::pin(Template::once(&name, async |warehouse: String| {
            let mut backfill = kindred(home.path(), &sources.url(), &warehouse, &home.path().join("lake"))?;
            backfill.args(["backfill", job, "--from", &first, "--to", &calendar.backfill_to(job)]);
            process::run(&mut backfill)?;
            if job == "hourly" {
                // What a live hour refreshes beside its own tables, the days before must have been followed for once.
                let mut live = kindred(home.path(), &sources.url(), &warehouse, &home.path().join("lake"))?;
                process::run(live.args(["run", job]))?;
            }
            // What the backfill read is what there was on the evening, not now.
            let pool = PgPool::connect(&warehouse).await?;
            evening::was_read_to(until, sources.pool(), &pool).await?;
            pool.close().await;
            anyhow::Ok(())
        }))
        .await;
        println!(
            "{} days of {} rows: filled in {:.0} s, backfilled in {:.0} s",
            size.days,
            size.volume,
            filled.as_secs_f64(),
            (began.elapsed() - filled).as_secs_f64()
        );
        Ok(Self {
            sources,
            warehouse,
            home,
        })
    }

    /// The lake of the evening.
    pub(crate) fn lake(&self) -> PathBuf {
        self.home.path().join("lake")
    }

    /// Copies of warehouse and lake as they were on the evening. Files of a lake are replaced and never changed, so that
    /// links will do.
    pub(crate) async fn copy(&self) -> anyhow::Result<Copy<'_>> {
        let warehouse = Box::pin(TestDatabase::from_template(&self.warehouse, "growth")).await;
        let lake = self.home.path().join(Uuid::new_v4().to_string());
        let copied = Command::new("cp").arg("-al").arg(self.lake()).arg(&lake).status()?;
        ensure!(copied.success(), "the lake cannot be copied");
        Ok(Copy {
            platform: self,
            warehouse,
            lake,
        })
    }
}

/// A warehouse and a lake for one run.
pub(crate) struct Copy<'a> {
    platform: &'a Platform,
    pub(crate) warehouse: TestDatabase,
    pub(crate) lake: PathBuf,
}

impl Copy<'_> {
    /// Runs a job of the binary to its end; `settings` are more of the environment.
    pub(crate) fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Ran> {
        let Platform { sources, home, .. } = self.platform;
        let mut command = kindred(home.path(), &sources.url(), &self.warehouse.url(), &self.lake)?;
        process::run(command.arg("run").args(arguments).envs(settings.iter().copied()))
    }

    /// The steps of the run that ended last.
    pub(crate) async fn steps(&self) -> anyhow::Result<Vec<Step>> {
        steps::of_last_run(self.warehouse.pool()).await
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        // Gone with the platform's folder at the latest.
        let _ = std::fs::remove_dir_all(&self.lake);
    }
}

fn kindred(home: &Path, sources: &str, warehouse: &str, lake: &Path) -> anyhow::Result<Command> {
    let mut command = process::command(&process::binary()?, home);
    command
        .env("DATABASE_URL", warehouse)
        .env("LAKE_URL", lake)
        .env("USER_KEY_SECRET", "a secret of a benchmark");
    for source in ["USER", "INTERACTION", "COMMUNICATION", "MODERATION"] {
        command.env(format!("{source}_SERVICE_DATABASE_URL"), sources);
    }
    Ok(command)
}
