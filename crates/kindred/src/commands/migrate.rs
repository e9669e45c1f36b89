//! `kindred migrate`

use std::io::Write;

use crate::settings::Settings;
use crate::{embedded, platform};

pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let server = embedded::start(settings).await?;
    if let Some(server) = &server {
        embedded::prepare(server, settings).await?;
    }
    let warehouse = platform::warehouse(settings, server.as_ref(), "kindred migrate").await?;
    warehouse.migrate().await?;
    warehouse.pool().close().await;
    if let Some(server) = server {
        server.close().await?;
    }
    writeln!(std::io::stdout(), "the warehouse's schema is up to date")?;
    Ok(())
}
