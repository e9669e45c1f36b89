//! The warehouse that the server answers from: three years of every summary table that it reads.

use std::time::Instant;

use anyhow::Context;
use kindred_testkit::TestDatabase;
use kindred_warehouse::{ConnectOptions, Warehouse};
use sqlx::Row;

/// A scratch database, migrated, filled and analysed.
pub(crate) async fn filled() -> anyhow::Result<TestDatabase> {
    let began = Instant::now();
    let database = TestDatabase::create("bench_api").await;
    let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default()).await?;
    warehouse.migrate().await?;
    warehouse.pool().close().await;
    sqlx::raw_sql(include_str!("fill.sql"))
        .execute(database.pool())
        .await
        .context("the warehouse could not be filled")?;
    sqlx::raw_sql("vacuum analyze").execute(database.pool()).await?;
    let size = sqlx::query("select pg_size_pretty(pg_database_size(current_database()))");
    let size: String = size.fetch_one(database.pool()).await?.get(0);
    println!("filled three years in {:.0} s: {size}", began.elapsed().as_secs_f64());
    Ok(database)
}
