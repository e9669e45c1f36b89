//! `kindred user-key ID`

use std::io::Write;

use crate::platform;
use crate::settings::Settings;

pub(crate) fn user_key(settings: &Settings, id: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", platform::user_keys(settings)?.of_id(id))?;
    Ok(())
}
