//! Whether the warehouse's rows of the night and those of a peer say the same.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, CONVERSION_FUNNELS, ColumnType, DAILY_KPI_SUMMARIES, FUNNEL_WINDOWS, LIFECYCLE_DAILY,
    MRR_MOVEMENTS_DAILY, REVENUE_METRICS, SEGMENT_KPI_DAILY, SESSION_EXITS_DAILY, SESSION_WINDOWS, SummaryTable,
};
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::evening::Evening;
use crate::product::Night;

/// What the daily job publishes.
pub(crate) const TABLES: [&SummaryTable; 10] = [
    &DAILY_KPI_SUMMARIES,
    &LIFECYCLE_DAILY,
    &SEGMENT_KPI_DAILY,
    &SESSION_EXITS_DAILY,
    &ACTIVE_USER_BUCKETS,
    &REVENUE_METRICS,
    &MRR_MOVEMENTS_DAILY,
    &CONVERSION_FUNNELS,
    &FUNNEL_WINDOWS,
    &SESSION_WINDOWS,
];

/// Numbers that were divided: equal when they differ by rounding alone. Every other numeric is money, and exact.
const QUOTIENTS: [&str; 7] = [
    "conversion_to_subscription",
    "user_retention_day1",
    "user_retention_day7",
    "user_retention_day30",
    "customer_lifetime_value",
    "churn_rate",
    "conversion_rate",
];

/// Cells by column, of a row by its key.
type Rows = BTreeMap<Vec<String>, BTreeMap<&'static str, Option<String>>>;

/// Demands that every row which the night has computed is also among `who`'s, in a schema of the sources, and equal.
pub(crate) async fn check(evening: &Evening, night: &Night<'_>, schema: &str, who: &str) -> anyhow::Result<()> {
    let mut cells = 0;
    for table in TABLES {
        let ours = format!("{} where {}", table.name, evening.day.put_into(&computed(table)));
        let ours = rows(night.warehouse.pool(), table, &ours).await?;
        let theirs = rows(evening.sources.pool(), table, &format!("{schema}.{}", table.name)).await?;
        ensure!(!ours.is_empty(), "the night left no rows in {}", table.name);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            let at = format!("{} {}", table.name, key.join("/"));
            let (Some(ours), Some(theirs)) = (ours.get(key), theirs.get(key)) else {
                let has = if ours.contains_key(key) { "the warehouse" } else { who };
                bail!("{at}: only {has} has this row");
            };
            for (name, cell) in ours {
                let other = &theirs[name];
                ensure!(
                    equal(table, name, cell.as_deref(), other.as_deref()),
                    "{at}, {name}: {} in the warehouse, {} by {who}",
                    cell.as_deref().unwrap_or("null"),
                    other.as_deref().unwrap_or("null")
                );
                cells += 1;
            }
        }
    }
    println!(
        "{who} and the warehouse agree in {cells} cells of {} tables",
        TABLES.len()
    );
    Ok(())
}

/// Which of a table's rows are of the night: those of the day, the calendar's buckets that it is in, and the funnels
/// whose 14 days are not over.
fn computed(table: &SummaryTable) -> String {
    match table.name {
        "active_user_buckets" => "bucket_end > {start} and bucket_start < {end}".to_owned(),
        "conversion_funnels" | "funnel_windows" => format!("{} > {{day}} - 14", table.day_column),
        _ => format!("{} = {{day}}", table.day_column),
    }
}

async fn rows(pool: &PgPool, table: &'static SummaryTable, from: &str) -> anyhow::Result<Rows> {
    let columns: Vec<_> = columns(table);
    let texts: Vec<_> = columns
        .iter()
        .map(|(name, kind)| match kind {
            ColumnType::Numeric => format!(r#"trim_scale("{name}"::numeric)::text"#),
            kind => format!(r#""{name}"::{}::text"#, kind.sql()),
        })
        .collect();
    let sql = format!("select {} from {from}", texts.join(", "));
    let answer = sqlx::query(AssertSqlSafe(sql.as_str())).fetch_all(pool).await;
    let mut rows = Rows::new();
    for row in answer.context(sql)? {
        let cells: BTreeMap<_, _> = columns
            .iter()
            .enumerate()
            .map(|(n, (name, _))| (*name, row.get::<Option<String>, _>(n)))
            .collect();
        let key = table.key.iter().map(|name| cells[name].clone().unwrap_or_default());
        rows.insert(key.collect(), cells);
    }
    Ok(rows)
}

/// The columns of a table that say something of the platform, not of the run.
pub(crate) fn columns(table: &SummaryTable) -> Vec<(&'static str, ColumnType)> {
    let columns = table.columns.iter().map(|column| (column.name, column.column_type));
    columns
        .filter(|(name, _)| !["run_id", "computed_at"].contains(name))
        .collect()
}

fn equal(table: &SummaryTable, name: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    let kind = table.column(name).map(|column| column.column_type);
    let is_rounded = kind == Some(ColumnType::Double) || QUOTIENTS.contains(&name);
    let numbers = ours.zip(theirs).filter(|_| is_rounded);
    match numbers.map(|(ours, theirs)| (ours.parse::<f64>(), theirs.parse::<f64>())) {
        Some((Ok(ours), Ok(theirs))) => (ours - theirs).abs() <= 1e-9 * ours.abs().max(theirs.abs()),
        _ => ours == theirs,
    }
}
