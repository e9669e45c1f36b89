//! The databases that the services write, and what else every request is handed.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use kindred_model::{Clock, Source};
use kindred_simulator::{Schema, Targets, connect_options};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::PlaygroundError;
use crate::passwords::Passwords;
use crate::tokens::Tokens;

/// Connections to each database: the services are for a few people at a time.
const CONNECTIONS: u32 = 5;
/// How long a request waits for one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a statement may take: less than a request.
const STATEMENT_TIMEOUT: &str = "10s";

/// What every request is handed; a clone shares it.
#[derive(Debug, Clone)]
pub struct Playground(Arc<Shared>);

/// What clones share.
#[derive(Debug)]
pub struct Shared {
    pub(crate) users: PgPool,
    pub(crate) interactions: PgPool,
    pub(crate) communications: PgPool,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) tokens: Tokens,
}

impl Deref for Playground {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Playground {
    /// Connects to the databases and makes the tables that are missing. Tokens of an earlier process are not known.
    ///
    /// # Errors
    /// When an address is malformed, a database cannot be reached, or its tables cannot be made.
    pub async fn open(targets: &Targets, clock: Clock) -> Result<Self, PlaygroundError> {
        Ok(Self(Arc::new(Shared {
            users: open(Source::Users, &targets.users).await?,
            interactions: open(Source::Interactions, &targets.interactions).await?,
            communications: open(Source::Communications, &targets.communications).await?,
            clock,
            passwords: Passwords::new(),
            tokens: Tokens::new().map_err(PlaygroundError::Randomness)?,
        })))
    }

    /// Lets go of the databases.
    pub async fn close(&self) {
        for pool in [&self.users, &self.interactions, &self.communications] {
            pool.close().await;
        }
    }
}

async fn open(database: Source, url: &str) -> Result<PgPool, PlaygroundError> {
    let options = connect_options(url)
        .map_err(|source| PlaygroundError::Address { database, source })?
        .application_name("kindred playground")
        .options([("statement_timeout", STATEMENT_TIMEOUT)]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(|source| PlaygroundError::Unreachable { database, source })?;
    make_tables(&pool, Schema::of(database))
        .await
        .map_err(|source| PlaygroundError::Tables { database, source })?;
    Ok(pool)
}

/// Makes what is missing, alone: two processes that create one table at the same moment would fail each other.
async fn make_tables(pool: &PgPool, schema: Schema) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(
        "set local client_min_messages = warning; select pg_advisory_xact_lock(hashtext('kindred playground'))",
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::raw_sql(schema.tables).execute(&mut *transaction).await?;
    sqlx::raw_sql(schema.indexes).execute(&mut *transaction).await?;
    transaction.commit().await
}
