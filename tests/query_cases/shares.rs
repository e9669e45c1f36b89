//! Files that are shared out by whole days: what the planner makes of it, and that no row goes missing by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use kindred_engine::Session;

use super::plans::day;
use super::{Bench, Case, cases_of, library};

const KEYS: i64 = 50;

const ROWS_A_DAY: i64 = 1_000;

/// Two tables, one of four days and one of six, so that the second stream of each begins with another day.
fn case() -> Case {
    let of_days = |days: i64| {
        let rows = || (0..days).flat_map(|offset| (0..ROWS_A_DAY).map(move |row| (offset, row % KEYS)));
        let dates = rows().map(|(offset, _)| Date32Type::from_naive_date(day(offset)));
        let dates: ArrayRef = Arc::new(Date32Array::from_iter_values(dates));
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(rows().map(|(_, key)| key)));
        RecordBatch::try_from_iter([("date", dates), ("user_key", keys)]).unwrap()
    };
    let mut case = cases_of(library().get("kpi/daily_sessions").unwrap()).swap_remove(0);
    case.tables = BTreeMap::from([("four".to_owned(), of_days(4)), ("six".to_owned(), of_days(6))]);
    case
}

pub(super) async fn rows(session: &Session, sql: &str) -> Vec<RecordBatch> {
    session.sql(sql).await.unwrap().try_collect().await.unwrap()
}

pub(super) async fn plan(session: &Session, sql: &str) -> String {
    let plan = rows(session, &format!("explain {sql}")).await;
    pretty_format_batches(&plan).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_grouped_by_day_and_more_is_grouped_where_it_is_read() {
    let bench = Bench::new(&case()).await;
    let of_day = plan(
        &bench.session,
        "select date, user_key, count(*) from four group by date, user_key",
    )
    .await;
    assert!(of_day.contains("output_partitioning=Range"), "{of_day}");
    assert!(of_day.contains("SinglePartitioned"), "{of_day}");
    assert!(!of_day.contains("RepartitionExec"), "{of_day}");
    let of_key = plan(&bench.session, "select user_key, count(*) from four group by user_key").await;
    assert!(of_key.contains("RepartitionExec"), "{of_key}");
}

/// Of each statement, what it counts.
#[tokio::test(flavor = "multi_thread")]
async fn rows_meet_whatever_stream_they_are_read_by() {
    let bench = Bench::new(&case()).await;
    let four = "(select date, count(distinct user_key) as keys from four group by date)";
    let six = "(select date, count(distinct user_key) as keys from six group by date)";
    let next = "cast(date + interval '1 day' as date)";
    let keys_of_days = |rows: &str| format!("select count(*) from (select distinct date, user_key from ({rows}))");
    let joined = |what: &str, how: &str, with: &str| format!("select {what} from {how} {with} b on a.date = b.date");
    let of_six = format!("{six} a");
    for (sql, count) in [
        // Streams of both tables begin with the same days, or with others.
        (
            joined("sum(a.keys * b.keys)", &format!("{four} a join"), four),
            4 * KEYS * KEYS,
        ),
        (
            joined("sum(a.keys * b.keys)", &format!("{of_six} join"), four),
            4 * KEYS * KEYS,
        ),
        (joined("count(*)", &format!("{of_six} full join"), four), 6),
        (joined("count(*)", &format!("{of_six} left join"), four), 6),
        (joined("count(*)", &format!("{of_six} left anti join"), four), 2),
        (
            keys_of_days("select * from four union all select * from four"),
            4 * KEYS,
        ),
        (keys_of_days("select * from four union all select * from six"), 6 * KEYS),
        // A day that is computed is not that of the path, by whatever name.
        (
            keys_of_days(&format!(
                "select date, user_key from four union all select {next} as date, user_key from four"
            )),
            5 * KEYS,
        ),
        (
            keys_of_days(&format!(
                "select unnest(make_array(date, {next})) as date, user_key from four"
            )),
            5 * KEYS,
        ),
    ] {
        let answer = cast(rows(&bench.session, &sql).await[0].column(0), &DataType::Int64).unwrap();
        assert_eq!(answer.as_primitive::<Int64Type>().value(0), count, "{sql}");
    }
}
