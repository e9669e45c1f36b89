//! `kindred psql DB`

use std::process::ExitCode;

use anyhow::Context;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::embedded;
use crate::exit::Usage;
use crate::settings::Settings;

pub(crate) async fn psql(settings: &Settings, database: &str, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let Some(server) = embedded::start(settings).await? else {
        return Err(
            Usage("DATABASE_URL is set: open it with psql itself; this is for the embedded server".to_owned()).into(),
        );
    };
    embedded::prepare(&server, settings).await?;
    // Ctrl-C is for psql, which cancels a statement by it; we stay until psql ends.
    let _interrupts = signal(SignalKind::interrupt())?;
    let status = Command::new(server.bin_dir().join("psql"))
        .arg(server.url(database))
        .args(arguments)
        .status()
        .await
        .context("psql could not be started: install PostgreSQL's client programs")?;
    server.close().await?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
