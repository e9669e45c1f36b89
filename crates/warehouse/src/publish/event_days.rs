//! The day partitions of `user_behavior_events`: made before a run writes events of their days, dropped when they are
//! older than what is kept.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{USER_BEHAVIOR_EVENTS, WarehouseError};

/// A table of new days alone, for as long as rows are copied into them.
pub(super) const NEW_DAYS: &str = "user_behavior_events_new_days";

/// Drops the partitions before `since`. Returns those of `days` from then on that have none.
pub(super) async fn missing(
    connection: &mut PgConnection,
    since: NaiveDate,
    days: &BTreeSet<NaiveDate>,
) -> Result<BTreeSet<NaiveDate>, WarehouseError> {
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
    Ok(days
        .range(since..)
        .filter(|day| !there.contains(*day))
        .copied()
        .collect())
}

/// Makes the partitions of `days`, built beside and attached: whoever reads the table goes on reading.
pub(super) async fn create(connection: &mut PgConnection, days: &BTreeSet<NaiveDate>) -> Result<(), WarehouseError> {
    for day in days {
        run(connection, creation(*day)).await?;
        run(connection, attachment(*day, USER_BEHAVIOR_EVENTS.name)).await?;
    }
    Ok(())
}

/// Makes the partitions of `days` without any index, in the table [`NEW_DAYS`]. They wait there until they are full: an
/// index of rows that stand is sooner built than one that takes in row after row.
pub(super) async fn gather(connection: &mut PgConnection, days: &BTreeSet<NaiveDate>) -> Result<(), WarehouseError> {
    let parent = USER_BEHAVIOR_EVENTS.name;
    let like = format!("create table {NEW_DAYS} (like {parent}) partition by range (event_time)");
    run(connection, like).await?;
    for day in days {
        run(connection, creation(*day)).await?;
        run(connection, attachment(*day, NEW_DAYS)).await?;
    }
    Ok(())
}

/// Takes the partitions of `days` from the table [`NEW_DAYS`] into their own, which builds their indexes.
pub(super) async fn hand_over(connection: &mut PgConnection, days: &BTreeSet<NaiveDate>) -> Result<(), WarehouseError> {
    for day in days {
        run(
            connection,
            format!("alter table {NEW_DAYS} detach partition {}", name(*day)),
        )
        .await?;
        run(connection, attachment(*day, USER_BEHAVIOR_EVENTS.name)).await?;
    }
    run(connection, format!("drop table {NEW_DAYS}")).await
}

fn creation(day: NaiveDate) -> String {
    let (parent, name) = (USER_BEHAVIOR_EVENTS.name, name(day));
    format!("create table {name} (like {parent} including defaults including constraints)")
}

fn attachment(day: NaiveDate, parent: &str) -> String {
    let (name, next) = (name(day), day + Days::new(1));
    format!(
        "alter table {parent} attach partition {name} for values from ('{day} 00:00:00+00') to ('{next} 00:00:00+00')"
    )
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
