//! What a night leaves behind: the tables and the lake, in a form that can be held against that of another night.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kindred_lake::{Dataset, Lake, read_content_hash};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

/// The tables that the daily job writes in its one transaction, beside the ledger, with what their rows come to. Who
/// wrote a row, and when, is a run's own.
const TABLES: [&str; 14] = [
    "daily_kpi_summaries",
    "lifecycle_daily",
    "session_exits_daily",
    "segment_kpi_daily",
    "active_user_buckets",
    "retention_cohorts",
    "conversion_funnels",
    "funnel_windows",
    "revenue_metrics",
    "mrr_movements_daily",
    "behavior_rollups",
    "session_windows",
    "hourly_metrics",
    "kpi_revisions",
];

/// All that must come out equal: by table or file, what it holds.
pub(crate) type Outcome = BTreeMap<String, BTreeSet<String>>;

/// What a warehouse and a lake hold, in which these files lie. A file that the warehouse does not know, or knows otherwise, is
/// a failure, and so is a run that is queued or running.
pub(crate) async fn outcome(pool: &PgPool, lake: &Lake, files: &BTreeSet<String>) -> Outcome {
    let open = "select string_agg(format('%s %s by %s', status, job_name, trigger), ', ')
        from etl_job_runs where status in ('running', 'queued')";
    let open: Option<String> = sqlx::query_scalar(open).fetch_one(pool).await.unwrap();
    assert_eq!(open, None, "a run seems to go on");
    let mut outcome = tables(pool).await;
    add_lake(pool, lake, files, &mut outcome).await;
    outcome
}

/// What a warehouse holds.
pub(crate) async fn tables(pool: &PgPool) -> Outcome {
    let mut outcome = Outcome::new();
    for table in TABLES {
        let sql = format!("select to_jsonb(t) - array['run_id', 'computed_at', 'revised_at'] from {table} t");
        let rows: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
        outcome.insert(
            table.to_owned(),
            rows.into_iter().map(|row| rounded(row).to_string()).collect(),
        );
    }
    outcome
}

/// The lake's files, each as the warehouse knows it, and no other file.
async fn add_lake(pool: &PgPool, lake: &Lake, files: &BTreeSet<String>, outcome: &mut Outcome) {
    let known: Vec<(String, String, String, i64)> =
        sqlx::query_as("select dataset, path, content_hash, rows from lake_partitions")
            .fetch_all(pool)
            .await
            .unwrap();
    let names: BTreeSet<_> = known.iter().map(|(dataset, ..)| dataset.clone()).collect();
    let mut hashes = BTreeMap::new();
    for name in &names {
        let dataset = dataset(name);
        let snapshot = lake.snapshot([dataset.clone()]).await.unwrap();
        for file in snapshot.files(&dataset) {
            let hash = read_content_hash(lake, file).await.unwrap();
            hashes.insert(dataset.file(file.partition), hash.unwrap());
        }
    }
    let recorded: BTreeMap<_, _> = known
        .iter()
        .map(|(_, path, hash, _)| (path.clone(), hash.clone()))
        .collect();
    let paths = hashes.keys().chain(recorded.keys());
    let unknown: BTreeSet<_> = paths.filter(|path| hashes.get(*path) != recorded.get(*path)).collect();
    assert_eq!(unknown, BTreeSet::new(), "are not what the warehouse knows of them");
    assert_eq!(files, &hashes.into_keys().collect(), "other files lie in the lake");
    for (dataset, path, hash, rows) in known {
        // A mirror's rows say which run wrote them; its table is compared.
        let holds = if dataset.starts_with("kpi/") {
            String::new()
        } else {
            hash
        };
        outcome.insert(path, BTreeSet::from([format!("{rows} rows {holds}")]));
    }
}

/// Quotients of sums may differ in their last digits, by the order in which their parts were added.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => format!("{:.9e}", number.as_f64().unwrap()).into(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        value => value,
    }
}

fn dataset(name: &str) -> Dataset {
    match name.split_once('/').unwrap() {
        ("facts", "events") => Dataset::facts("events").by_hour(),
        ("facts", name) => Dataset::facts(name),
        ("state", name) => Dataset::state(name),
        ("kpi", name) => Dataset::kpi(name),
        _ => panic!("{name} is of an unknown kind"),
    }
}

/// Every file below a folder, relative to it.
pub(crate) fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()).iter().map(|file| format!("{name}/{file}")));
        } else {
            files.insert(name);
        }
    }
    files
}

/// Demands that two nights came to the same.
pub(crate) fn assert_same(at: &str, found: &Outcome, expected: &Outcome) {
    let nothing = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        let found = found.get(name).unwrap_or(&nothing);
        let expected = expected.get(name).unwrap_or(&nothing);
        wrong.extend(
            found
                .difference(expected)
                .map(|row| format!("{name}: should not be {row}")),
        );
        wrong.extend(
            expected
                .difference(found)
                .map(|row| format!("{name}: is missing {row}")),
        );
    }
    let count = wrong.len();
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{at}: {count} differences\n{}", wrong.join("\n"));
}
