//! The record that a simulated platform keeps of itself, in its interactions database: which history it is, and how far
//! it is told. It lies in a schema of its own, which no extraction reads.

use chrono::{DateTime, Utc};
use kindred_model::{Instant, Source};
use sqlx::PgConnection;

use crate::Population;

/// The model's number. It changes when equal populations get other histories: one that was begun by another model cannot
/// be told on.
pub const MODEL: i32 = 1;

/// The database that keeps it.
pub(crate) const KEPT_IN: Source = Source::Interactions;

const DDL: &str = "
    create schema if not exists simulator;
    create table if not exists simulator.history (
        model integer not null,
        users bigint not null,
        days bigint not null,
        seed bigint not null,
        until timestamptz not null,
        told_until timestamptz not null
    )";

type Columns = (i64, i64, i64, DateTime<Utc>, DateTime<Utc>);

/// Notes that a history is told, in the transaction that tells it.
pub(crate) async fn begin(connection: &mut PgConnection, population: &Population) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(DDL).execute(&mut *connection).await?;
    // Whoever dropped the tables of an earlier one has left its record.
    sqlx::raw_sql("truncate simulator.history")
        .execute(&mut *connection)
        .await?;
    sqlx::query("insert into simulator.history values ($1, $2, $3, $4, $5, $5)")
        .bind(MODEL)
        .bind(i64::from(population.users))
        .bind(i64::from(population.days))
        .bind(population.seed.cast_signed())
        .bind(population.until)
        .execute(connection)
        .await
        .map(drop)
}

/// The population, and until when it is told; none when the database has no history of this model.
pub(crate) async fn read(connection: &mut PgConnection) -> Result<Option<(Population, Instant)>, sqlx::Error> {
    let kept = sqlx::query_scalar("select to_regclass('simulator.history') is not null");
    if !kept.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let columns: Option<Columns> =
        sqlx::query_as("select users, days, seed, until, told_until from simulator.history where model = $1")
            .bind(MODEL)
            .fetch_optional(connection)
            .await?;
    Ok(columns.and_then(|(users, days, seed, until, told_until)| {
        let population = Population {
            users: users.try_into().ok()?,
            days: days.try_into().ok()?,
            seed: seed.cast_unsigned(),
            until,
        };
        Some((population, told_until))
    }))
}

/// Notes how far the history is told, in the transaction that tells it.
pub(crate) async fn told(connection: &mut PgConnection, until: Instant) -> Result<(), sqlx::Error> {
    sqlx::query("update simulator.history set told_until = $1")
        .bind(until)
        .execute(connection)
        .await
        .map(drop)
}
