//! The schema's migrations, embedded from `migrations/`, forward only.

use std::collections::BTreeSet;

use sqlx::migrate::Migrator;

use crate::error::Cause;
use crate::{ErrorKind, Warehouse, WarehouseError};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

impl Warehouse {
    /// Brings the schema up to date. Processes that do so at once wait for each other.
    ///
    /// # Errors
    /// When a migration fails, in which case it has changed nothing, or when the schema is a newer program's.
    pub async fn migrate(&self) -> Result<(), WarehouseError> {
        let migrated = MIGRATIONS.run(self.pool()).await;
        migrated.map_err(|source| WarehouseError::Migrate(Cause(source)))
    }

    /// Whether every migration of this program has been applied.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn is_migrated(&self) -> Result<bool, WarehouseError> {
        let applied = sqlx::query_scalar("select version from _sqlx_migrations where success")
            .fetch_all(self.pool())
            .await
            .map_err(WarehouseError::query("list its migrations"));
        let applied: BTreeSet<i64> = match applied {
            Ok(versions) => versions.into_iter().collect(),
            Err(error) if error.kind() == ErrorKind::Schema => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(MIGRATIONS.iter().all(|migration| applied.contains(&migration.version)))
    }
}
