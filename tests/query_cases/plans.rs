//! What a plan must not do: multiply the rows of facts, or open files that its window does not look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Date32Type;
use arrow::util::pretty::pretty_format_batches;
use chrono::NaiveDate;
use futures::TryStreamExt;
use kindred_engine::{Query, Value};

use super::{Bench, Case, cases_of, chain, in_lake, library};

/// The window's only day, a Tuesday: in the middle of a quarter that begins 40 days before it and ends 49 days after
/// it. The window of a query of weeks is the week around it.
const DAY: &str = "2026-02-10";

/// Which days around it lie in the lake.
const DAYS: [i64; 28] = [
    -400, -90, -89, -60, -42, -41, -40, -39, -31, -30, -29, -8, -7, -2, -1, 0, 1, 2, 5, 6, 7, 14, 15, 48, 49, 50, 51,
    60,
];

/// How far before and after its window a query looks at a table; one that is not named, at the window alone.
const REACH: &[(&str, &str, i64, i64)] = &[
    ("state/active_days", "user_sessions", 1, 0),
    ("kpi/daily_active_users", "active_days", 29, 0),
    ("kpi/daily_retention", "users", 30, 0),
    ("kpi/lifecycle_daily", "active_days", 1, 0),
    ("kpi/active_user_buckets", "active_days", 40, 49),
    ("kpi/active_user_buckets", "user_sessions", 40, 49),
    ("kpi/active_user_buckets", "users", 40, 49),
    // First-ever figures, refunds and what is known of a person need the whole history.
    ("state/internal_users", "users", ALL, ALL),
    ("state/subscription_spans", "subscriptions", ALL, ALL),
    ("state/subscription_spans", "payments", ALL, ALL),
    ("state/first_purchases", "payments", ALL, ALL),
    ("kpi/daily_revenue", "payments", ALL, ALL),
    ("kpi/segment_kpi_daily", "users", ALL, ALL),
    ("kpi/segment_kpi_daily", "payments", ALL, ALL),
    ("revenue/daily_plan_changes", "subscriptions", ALL, ALL),
    ("revenue/daily_plan_changes", "payments", ALL, ALL),
    ("retention/retention_cohorts", "users", 1, 5),
    ("retention/retention_cohorts", "active_days", 1, 5),
    ("retention/retention_cohorts", "user_sessions", 1, 5),
    ("retention/retention_cohorts", "matches", 1, 5),
    ("retention/retention_cohorts", "payments", ALL, ALL),
    ("sessions/hourly_metrics", "user_sessions", 1, 0),
    ("sessions/hourly_metrics", "interactions", 1, 0),
    ("sessions/hourly_metrics", "matching_queue", 1, 0),
    ("sessions/session_analytics", "session_telemetry", 1, 1),
    ("sessions/session_analytics", "matches", 0, 1),
    ("sessions/session_analytics", "messages", 0, 1),
    ("sessions/session_windows", "user_sessions", 89, 0),
    ("behavior/behavior_rollups", "event_counts", 90, 0),
    ("behavior/behavior_rollups", "aliases", ALL, ALL),
    ("behavior/user_behavior_events", "aliases", ALL, ALL),
    ("quality/daily_series", "daily_kpi_summaries", 112, 0),
    ("quality/daily_series", "revenue_metrics", 112, 0),
    ("quality/hourly_series", "hourly_metrics", 112, 0),
    ("quality/series_scores", "series", ALL, ALL),
    ("quality/unusable_sessions", "users", ALL, ALL),
    // A copy of an event may lie on any date.
    ("events/hours_of_copies", "event_ids", ALL, ALL),
    ("events/known_copies", "events", ALL, ALL),
    // A device may have met its first user at any time.
    ("privacy/devices", "events", ALL, ALL),
    ("privacy/devices", "aliases", ALL, ALL),
    // A funnel goes on for its window, which is 14 days in its first case; who enters it, and who anybody is, is known
    // from all that was before.
    ("funnel/funnel_people", "first_moments", ALL, 0),
    ("funnel/funnel_people", "aliases", ALL, ALL),
    ("funnel/funnel_people", "events", 0, 14),
    ("funnel/funnel_people", "users", 0, 14),
    ("funnel/funnel_people", "user_sessions", 0, 14),
    ("funnel/funnel_people", "matches", 0, 14),
    ("funnel/funnel_people", "messages", 0, 14),
    ("funnel/funnel_people", "swipes", 0, 14),
    ("funnel/funnel_people", "payments", 0, 14),
    ("funnel/funnel_windows", "funnel_people", 89, 0),
];
const ALL: i64 = i64::MAX;

#[tokio::test(flavor = "multi_thread")]
async fn no_file_beyond_the_reach_of_a_window_is_opened() {
    for query in library().iter().filter(|query| !query.name.starts_with("quality/")) {
        let mut case = with_history(cases_of(query).swap_remove(0));
        for (name, value) in [("from", 0), ("to", 1), ("first_cohort", -1), ("last_week", -1)] {
            case.params = case.params.with(name, Value::Day(day(value)));
        }
        let bench = Bench::new(&case).await;
        for table in case.tables.keys().filter(|table| in_lake(table, &case.tables[*table])) {
            let reach = REACH.iter().find(|(name, of, ..)| *name == query.name && of == table);
            let (before, after) = reach.map_or((0, 0), |(.., before, after)| (*before, *after));
            for offset in DAYS
                .into_iter()
                .filter(|&offset| offset.saturating_neg() > before || offset > after)
            {
                bench.lose_file(table, day(offset));
            }
        }
        let answer = bench.session.query(query, &case.params).await;
        assert!(
            answer.is_ok(),
            "{} opens a file too many: {}",
            query.name,
            chain(&answer.unwrap_err())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_plan_multiplies_the_rows_of_facts() {
    for query in library().iter().filter(|query| !query.name.starts_with("quality/")) {
        let case = with_history(cases_of(query).swap_remove(0));
        let bench = Bench::new(&case).await;
        let plan = bench
            .session
            .sql(&format!("explain {}", spelled_out(query, &case)))
            .await
            .unwrap();
        let plan: Vec<_> = plan.try_collect().await.unwrap();
        let plan = pretty_format_batches(&plan).unwrap().to_string();
        for node in ["CrossJoinExec", "NestedLoopJoinExec"] {
            assert!(!plan.contains(node), "{}\n{plan}", query.name);
        }
    }
}

/// The left side of a hash join is the one whose rows are held.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_holds_the_side_of_fewer_rows() {
    let sized = |rows: i64| {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let date = Date32Type::from_naive_date(day(0));
        let dates: ArrayRef = Arc::new(Date32Array::from_iter_values((0..rows).map(|_| date)));
        RecordBatch::try_from_iter([("date", dates), ("user_key", keys)]).unwrap()
    };
    let mut case = cases_of(library().get("kpi/daily_sessions").unwrap()).swap_remove(0);
    case.tables = BTreeMap::from([("few".to_owned(), sized(20)), ("many".to_owned(), sized(4_000))]);
    let bench = Bench::new(&case).await;
    for from in ["few a join many b", "many a join few b"] {
        let sql = format!("explain select count(*) from {from} on a.user_key = b.user_key");
        let plan: Vec<_> = bench.session.sql(&sql).await.unwrap().try_collect().await.unwrap();
        let plan = pretty_format_batches(&plan).unwrap().to_string();
        let (_, sides) = plan.split_once("HashJoinExec").unwrap();
        assert!(
            sides.find("facts/few").unwrap() < sides.find("facts/many").unwrap(),
            "{plan}"
        );
    }
}

/// The case with a row on each of the days, in each table of the lake.
pub(super) fn with_history(mut case: Case) -> Case {
    for (name, rows) in &mut case.tables {
        if !in_lake(name, rows) {
            continue;
        }
        let nulls = rows
            .schema()
            .fields()
            .iter()
            .map(|field| new_null_array(field.data_type(), 1))
            .collect();
        let nulls = RecordBatch::try_new(rows.schema(), nulls).unwrap();
        let first = concat_batches(&rows.schema(), [&*rows, &nulls]).unwrap();
        let history = take_record_batch(&first, &UInt32Array::from(vec![0; DAYS.len()])).unwrap();
        let dates: ArrayRef = Arc::new(Date32Array::from_iter_values(
            DAYS.map(|offset| Date32Type::from_naive_date(day(offset))),
        ));
        let date = rows.schema().index_of("date").unwrap();
        let columns = history.columns().iter().enumerate();
        let columns = columns.map(|(index, column)| if index == date { dates.clone() } else { column.clone() });
        *rows = RecordBatch::try_new(rows.schema(), columns.collect()).unwrap();
    }
    case
}

pub(super) fn day(offset: i64) -> NaiveDate {
    DAY.parse::<NaiveDate>().unwrap() + chrono::Duration::days(offset)
}

/// The statement as one plan, with literals in the place of its placeholders: EXPLAIN takes no parameters.
fn spelled_out(query: &Query, case: &Case) -> String {
    let sql = query.sql.replace(" as materialized (", " as (");
    query.parameters.iter().fold(sql, |sql, name| {
        let literal = match case.params.get(name).unwrap() {
            Value::Day(day) => format!("date '{day}'"),
            Value::Instant(Some(instant)) => format!("timestamp '{}'", instant.naive_utc()),
            Value::Instant(None) => "cast(null as timestamp)".to_owned(),
            Value::Text(text) => format!("'{text}'"),
            Value::Texts(texts) => format!("make_array('{}')", texts.join("', '")),
            Value::Integer(number) => number.to_string(),
        };
        sql.replace(&format!("${name}"), &literal)
    })
}
