//! The day partitions of `user_behavior_events`: made before a run writes events of their days, dropped when they are
//! older than what is kept.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{USER_BEHAVIOR_EVENTS, WarehouseError};

/// Makes the partitions of `days` and drops those before `since`.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    since: NaiveDate,
    days: &BTreeSet<NaiveDate>,
) -> Result<(), WarehouseError> {
    let there: Vec<String> = sqlx::query_scalar(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'user_behavior_events'::regclass",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(WarehouseError::query("list the days of user_behavior_events"))?;
    let there: BTreeSet<NaiveDate> = there.iter().filter_map(|name| day_of(name)).collect();
    for day in there.range(..since) {
        run(connection, format!("drop table {}", name(*day))).await?;
    }
    for day in days.range(since..).filter(|day| !there.contains(*day)) {
        for statement in creation(*day) {
            run(connection, statement).await?;
        }
    }
    Ok(())
}

/// Built beside and attached: whoever reads the table goes on reading.
fn creation(day: NaiveDate) -> [String; 2] {
    let (parent, name, next) = (USER_BEHAVIOR_EVENTS.name, name(day), day + Days::new(1));
    let bounds = format!("from ('{day} 00:00:00+00') to ('{next} 00:00:00+00')");
    [
        format!("create table {name} (like {parent} including defaults including constraints)"),
        format!("alter table {parent} attach partition {name} for values {bounds}"),
    ]
}

fn name(day: NaiveDate) -> String {
    format!("{}_{}", USER_BEHAVIOR_EVENTS.name, day.format("%Y%m%d"))
}

fn day_of(name: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(name.rsplit('_').next()?, "%Y%m%d").ok()
}

/// Runs a statement made of the table's name and a date alone.
async fn run(connection: &mut PgConnection, statement: String) -> Result<(), WarehouseError> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map_err(WarehouseError::query("prepare the days of user_behavior_events"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_back_from_its_partitions_name() {
        let day = "2026-01-31".parse().unwrap();
        assert_eq!(name(day), "user_behavior_events_20260131");
        assert_eq!(day_of(&name(day)), Some(day));
    }
}
