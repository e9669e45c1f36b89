//! What a good user of PostgreSQL would write: a statement a table over the sources' rows, and what several of them
//! need in temporary tables before.

use std::fmt::Write;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::evening::{Evening, sql};

/// Where its answers are.
pub(crate) const SCHEMA: &str = "plain";

const SHARED: [&str; 2] = [
    include_str!("../peers/night/shared.sql"),
    include_str!("../peers/night/onboarding.sql"),
];

const TABLES: [(&str, &str); 10] = [
    (
        "daily_kpi_summaries",
        include_str!("../peers/night/daily_kpi_summaries.sql"),
    ),
    ("lifecycle_daily", include_str!("../peers/night/lifecycle_daily.sql")),
    (
        "segment_kpi_daily",
        include_str!("../peers/night/segment_kpi_daily.sql"),
    ),
    (
        "session_exits_daily",
        include_str!("../peers/night/session_exits_daily.sql"),
    ),
    (
        "active_user_buckets",
        include_str!("../peers/night/active_user_buckets.sql"),
    ),
    ("revenue_metrics", include_str!("../peers/night/revenue_metrics.sql")),
    (
        "mrr_movements_daily",
        include_str!("../peers/night/mrr_movements_daily.sql"),
    ),
    (
        "conversion_funnels",
        include_str!("../peers/night/conversion_funnels.sql"),
    ),
    ("funnel_windows", include_str!("../peers/night/funnel_windows.sql")),
    ("session_windows", include_str!("../peers/night/session_windows.sql")),
];

/// Computes all tables into an empty schema: how long that took, from the connection to the end.
pub(crate) async fn run(evening: &Evening) -> anyhow::Result<Duration> {
    let fresh = format!("drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}");
    sql(evening.sources.pool(), &fresh).await?;
    let mut statements = SHARED.concat();
    for (name, query) in TABLES {
        write!(statements, "create table {SCHEMA}.{name} as\n{query};\n")?;
    }
    let statements = evening.day.put_into(&statements);
    let began = Instant::now();
    let mut connection = PgConnection::connect(&evening.sources.url()).await?;
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(began.elapsed())
}
