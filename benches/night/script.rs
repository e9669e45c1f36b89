//! What a data scientist would write: a script that reads the sources by ConnectorX and computes by Polars.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use kindred_benches::timed;
use kindred_testkit::TestServer;

use crate::answers::{TABLES, columns};
use crate::evening::{Evening, sql};

/// Where its answers are read into, to be compared.
pub(crate) const SCHEMA: &str = "script";

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Computes all tables into files: how long that took by the script's own clock, which begins after its imports.
pub(crate) fn run(evening: &Evening) -> anyhow::Result<Duration> {
    let venv = Command::new("scripts/venv.sh")
        .arg("bench")
        .current_dir(CHECKOUT)
        .output()?;
    ensure!(venv.status.success(), "there is no Python environment for the peers");
    let python = PathBuf::from(String::from_utf8(venv.stdout)?.trim()).join("bin/python");
    let answers = answers(evening);
    fs::create_dir_all(&answers)?;
    let mut script = Command::new(python);
    script
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(format!("{CHECKOUT}/benches/peers/night.py"))
        .args([evening.sources.url(), evening.day.to_string()])
        .arg(&answers);
    let (_, said) = timed(&mut script, Stdio::piped())?;
    let seconds = said.lines().last().context("the script says nothing")?;
    Ok(Duration::from_secs_f64(
        seconds.parse().context("the script's seconds")?,
    ))
}

/// Reads its answers into the sources' database.
pub(crate) async fn load(evening: &Evening) -> anyhow::Result<()> {
    let pool = evening.sources.pool();
    sql(
        pool,
        &format!("drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}"),
    )
    .await?;
    for table in TABLES {
        let file = answers(evening).join(format!("{}.csv", table.name));
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        // A name may be one of SQL's words.
        let header = text.lines().next().context("a file without a header")?;
        let header = format!(r#""{}""#, header.replace(',', r#"",""#));
        let typed: Vec<_> = columns(table)
            .iter()
            .map(|(name, kind)| format!(r#""{name}" {}"#, kind.sql()))
            .collect();
        sql(
            pool,
            &format!("create table {SCHEMA}.{} ({})", table.name, typed.join(", ")),
        )
        .await?;
        let copy = format!(
            r"\copy {SCHEMA}.{} ({header}) from '{}' (format csv, header)",
            table.name,
            file.display()
        );
        let mut psql = Command::new(TestServer::get().await.bin_dir().join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--dbname",
            &evening.sources.url(),
            "--command",
            &copy,
        ]);
        timed(&mut psql, Stdio::null())?;
    }
    Ok(())
}

fn answers(evening: &Evening) -> PathBuf {
    evening.home.path().join("answers")
}
