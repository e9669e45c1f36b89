//! The embedded default: a private PostgreSQL with the warehouse and any source that has no address of its own.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use kindred_embedded_pg::{EmbeddedPg, Options};
use kindred_model::Source;
use kindred_simulator::Schema;
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::SecretString;

use crate::settings::Settings;

/// The warehouse's database on the embedded server.
pub(crate) const WAREHOUSE: &str = "analytics";

/// The name by which the server knows the connections of those who may carry out runs.
pub(crate) const WORKER: &str = "kindred";

/// The file below `STATE_DIR` that holds the embedded default's `USER_KEY_SECRET`.
const SECRET_FILE: &str = "user-key-secret";

/// The embedded server, when the settings ask for it.
pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Option<EmbeddedPg>> {
    if settings.storage.warehouse.is_some() {
        return Ok(None);
    }
    let server = kindred_embedded_pg::start(Options::new(&settings.storage.state_dir)).await?;
    Ok(Some(server))
}

/// Makes the databases that the embedded server stands in for, with the tables of those sources.
pub(crate) async fn prepare(server: &EmbeddedPg, settings: &Settings) -> anyhow::Result<()> {
    server.create_database(WAREHOUSE).await?;
    for source in Source::DATABASES
        .iter()
        .filter(|source| !settings.sources.addresses.contains_key(source))
    {
        if server.create_database(source.as_str()).await? {
            create_tables(&server.url(source.as_str()), *source)
                .await
                .with_context(|| format!("the tables of the embedded database {source} could not be made"))?;
        }
    }
    Ok(())
}

/// Whether any process holds connections to the warehouse by which it may carry out runs.
pub(crate) async fn has_worker(server: &EmbeddedPg) -> Result<bool, sqlx::Error> {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&server.url(WAREHOUSE)).await?;
    let found = sqlx::query_scalar(
        "select exists (select from pg_stat_activity where datname = current_database() and application_name = $1)",
    );
    let found = found.bind(WORKER).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

async fn create_tables(url: &str, source: Source) -> Result<(), sqlx::Error> {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let schema = Schema::of(source);
    sqlx::raw_sql(schema.tables).execute(&mut connection).await?;
    sqlx::raw_sql(schema.indexes).execute(&mut connection).await?;
    connection.close().await
}

/// The embedded default's own `USER_KEY_SECRET`: made at the first start, and kept.
pub(crate) fn user_key_secret(state_dir: &Path) -> anyhow::Result<SecretString> {
    let path = state_dir.join(SECRET_FILE);
    let unusable = || {
        format!(
            "the secret of the user keys at {} cannot be used: check the folder's rights",
            path.display()
        )
    };
    match std::fs::read_to_string(&path) {
        Ok(secret) => return Ok(SecretString::from(secret.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(unusable),
    }
    std::fs::create_dir_all(state_dir).with_context(unusable)?;
    let mut bytes = [0_u8; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .context("the system gave no random numbers")?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Written whole before it has its name, so that no other process reads half of it.
    let draft = state_dir.join(format!("{SECRET_FILE}.{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .with_context(unusable)?;
    file.write_all(secret.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(unusable)?;
    // Whoever was first wins: everyone reads that one.
    let linked = std::fs::hard_link(&draft, &path);
    std::fs::remove_file(&draft).with_context(unusable)?;
    match linked {
        Ok(()) => Ok(SecretString::from(secret)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => user_key_secret(state_dir),
        Err(error) => Err(error).with_context(unusable),
    }
}
