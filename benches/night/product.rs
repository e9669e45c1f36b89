//! The night itself: `kindred run daily` on copies of the evening's warehouse and lake.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use kindred_benches::timed;
use kindred_testkit::TestDatabase;

use crate::evening::{Evening, copy, kindred};

/// Copies that one run works on.
pub(crate) struct Night<'a> {
    evening: &'a Evening,
    pub(crate) warehouse: TestDatabase,
    lake: PathBuf,
}

impl<'a> Night<'a> {
    /// Copies the evening. What the server has to write of the copy is written before the night begins.
    pub(crate) async fn begin(evening: &'a Evening) -> anyhow::Result<Self> {
        let warehouse = TestDatabase::from_template(&evening.warehouse, "bench_night").await;
        let lake = evening.home.path().join(warehouse.name());
        copy(&evening.lake(), &lake)?;
        sqlx::query("checkpoint").execute(warehouse.pool()).await?;
        Ok(Self {
            evening,
            warehouse,
            lake,
        })
    }

    /// The day's run, sources to warehouse, in a process of its own: how long that took as a whole.
    pub(crate) fn run(&self) -> anyhow::Result<Duration> {
        let Evening { sources, day, home, .. } = self.evening;
        let mut command = kindred(home.path(), sources, &self.warehouse.url(), &self.lake)?;
        command.args(["run", "daily", "--date", &day.to_string()]);
        let (took, said) = timed(&mut command, Stdio::piped())?;
        ensure!(
            said.contains("status    completed"),
            "the run did not complete:\n{said}"
        );
        Ok(took)
    }
}

impl Drop for Night<'_> {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.lake);
    }
}
