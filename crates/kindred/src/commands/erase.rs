//! `kindred erase ID`

use std::io::Write;

use kindred_jobs::erase_now;

use crate::settings::Settings;
use crate::{platform, shutdown};

pub(crate) async fn erase(settings: &Settings, id: &str) -> anyhow::Result<()> {
    let user_key = platform::user_keys(settings)?.of_id(id.trim());
    let opened = platform::open(settings).await?;
    let stop = shutdown::token()?;
    let ended = Box::pin(erase_now(&opened.platform, user_key, &stop)).await;
    opened.close().await?;
    let erasure = ended?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "user key   {}", erasure.user_key)?;
    writeln!(out, "requested  {}", erasure.requested_at.to_rfc3339())?;
    if let Some(completed) = erasure.completed_at {
        writeln!(out, "completed  {}", completed.to_rfc3339())?;
    }
    writeln!(out, "erased     {} rows", erasure.rows_erased)?;
    writeln!(out, "{}", serde_json::to_string_pretty(&erasure.report)?)?;
    Ok(())
}
