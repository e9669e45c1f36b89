//! A lake in a bucket: the binary against a server that speaks S3, and a lake in a folder beside it.

use std::collections::BTreeMap;

use futures::future::join_all;
use kindred_testkit::TestDatabase;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::Command;

use crate::faults::outcome::{assert_same, outcome};
use crate::support::{Answer, Kindred, LAKE, Platform, S3Server, Server, python};

const JOBS: [&str; 4] = ["daily", "hourly", "weekly", "sessions"];

/// A week and a day of the history.
const DAYS: [&str; 4] = ["--from", "2026-03-06", "--to", "2026-03-15"];

/// A lake in a bucket and one in a folder, each with a warehouse, of one platform.
struct Lakes {
    platform: Platform,
    s3: S3Server,
    in_bucket: Kindred,
    in_folder: Kindred,
    warehouse_of_folder: TestDatabase,
}

impl Lakes {
    async fn new() -> Self {
        let history = ["--users", "40", "--days", "10", "--until", "2026-03-15T10:30:00Z"];
        let platform = Platform::with_history("cli_40_users_10_days", history).await;
        let s3 = S3Server::start().await;
        let warehouse_of_folder = TestDatabase::create("warehouse").await;
        Self {
            in_bucket: S3Server::keeps_lake_of(platform.kindred(), &s3.url()),
            in_folder: platform.kindred().with("DATABASE_URL", warehouse_of_folder.url()),
            platform,
            s3,
            warehouse_of_folder,
        }
    }

    fn warehouse(&self) -> &PgPool {
        self.platform.warehouse.pool()
    }

    /// Runs a job on both.
    async fn run(&self, job: &str) {
        let run = [&["run", job], &DAYS[..]].concat();
        for kindred in [&self.in_bucket, &self.in_folder] {
            kindred.run(&run).await.expect(0).says(&["status    completed"]);
        }
    }

    /// Demands that both hold the same, and that each object of the bucket is as its warehouse has recorded it.
    async fn are_equal(&self, at: &str) {
        let recorded: Vec<(String, i64)> =
            sqlx::query_as("select path, bytes from lake_partitions order by path collate \"C\"")
                .fetch_all(self.warehouse())
                .await
                .unwrap();
        let objects = self.s3.objects().await.into_iter();
        let objects: Vec<_> = objects.map(|(key, (bytes, _))| (key, bytes as i64)).collect();
        assert_eq!(objects, recorded, "{at}");

        let folder = self.platform.home.path().join("state/lake");
        let files = crate::faults::outcome::files_below(&folder);
        let folder = kindred_lake::Lake::open(folder.to_str().unwrap(), []).unwrap();
        let found = outcome(self.warehouse(), &self.s3.lake(), &self.s3.keys().await).await;
        let expected = outcome(self.warehouse_of_folder.pool(), &folder, &files).await;
        assert_same(at, &found, &expected);
    }

    /// Demands that `kindred query` finds equal rows in every mirror of a table.
    async fn answer_equally(&self) {
        let tables = "select distinct substr(dataset, 5) from lake_partitions where dataset like 'kpi/%'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(self.warehouse()).await.unwrap();
        assert!(tables.len() > 10, "{tables:?}");
        for table in tables {
            // Who computed a row, and when, is a run's own.
            let sql = format!("select * exclude (run_id, computed_at) from {table}");
            let query = ["query", "--format", "csv", &sql];
            let answers = join_all([&self.in_bucket, &self.in_folder].map(|kindred| kindred.run(&query))).await;
            let [bucket, folder] = answers.try_into().map(|both: [Answer; 2]| both.map(rows_of)).unwrap();
            assert!(bucket.len() > 1, "{table} is empty");
            assert_eq!(bucket, folder, "{table}");
        }
    }
}

/// The lines of an answer, in no order of theirs. Quotients of sums may differ in their last digits.
fn rows_of(answer: Answer) -> Vec<String> {
    let answer = answer.expect(0);
    let rounded = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => format!("{number:.9e}"),
        _ => cell.to_owned(),
    };
    let lines = answer.out.lines();
    let mut rows: Vec<_> = lines
        .map(|line| line.split(',').map(rounded).collect::<Vec<_>>().join(","))
        .collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_in_a_bucket_holds_what_one_in_a_folder_does_and_every_reader_finds_it() {
    let lakes = Lakes::new().await;
    for job in JOBS {
        lakes.run(job).await;
    }
    lakes.are_equal("after all jobs").await;
    lakes.answer_equally().await;
    polars_finds_the_warehouses_figures(&lakes).await;

    let server = Server::start(&lakes.in_bucket, &["serve"]).await;
    assert_eq!(server.get("/kpis/overview").await.0, 200);
    server.stop().await.expect(0);

    a_change_replaces_objects_in_their_places(&lakes).await;
    a_person_is_erased(&lakes).await;
}

/// Days with a number each, as a statement on the warehouse or the sources has them.
async fn by_day(pool: &PgPool, sql: &str) -> Value {
    let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
    json!(rows)
}

async fn polars_finds_the_warehouses_figures(lakes: &Lakes) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/object_store/read.py");
    let read = Command::new(python("s3").await)
        .args([script, &lakes.s3.url(), LAKE])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&read.stdout).unwrap();

    let active = "select date::text, total_active_users::bigint from daily_kpi_summaries order by date";
    assert_eq!(found["active"], by_day(lakes.warehouse(), active).await);
    let sources = lakes.platform.sources.pool();
    let sessions =
        "select (started_at at time zone 'UTC')::date::text, count(*) from user_sessions group by 1 order by 1";
    assert_eq!(found["sessions"], by_day(sources, sessions).await);
    let events = "select count(distinct event_id) from behavior_events
        where extract(hour from event_time at time zone 'UTC') = 12";
    let events: i64 = sqlx::query_scalar(events).fetch_one(sources).await.unwrap();
    assert!(events > 5, "{events}");
    assert_eq!(found["events"], events);
}

async fn a_change_replaces_objects_in_their_places(lakes: &Lakes) {
    let before = lakes.s3.objects().await;
    let late = "update user_sessions set ended_at = started_at + interval '77 seconds', updated_at = now()
        where (started_at at time zone 'UTC')::date = '2026-03-11'";
    lakes.platform.alter(late).await;
    lakes.run("daily").await;
    lakes.are_equal("after a change of a source").await;

    let after = lakes.s3.objects().await;
    assert_eq!(
        Vec::from_iter(after.keys()),
        Vec::from_iter(before.keys()),
        "objects came or went"
    );
    let replaced: BTreeMap<_, _> = after.iter().filter(|(key, found)| before[*key] != **found).collect();
    for dataset in ["facts/user_sessions", "kpi/daily_kpi_summaries"] {
        let key = format!("{dataset}/date=2026-03-11/part-0.parquet");
        assert!(replaced.contains_key(&key), "{key} is not among {:?}", replaced.keys());
    }
    let facts: Vec<_> = replaced.keys().filter(|key| key.starts_with("facts/")).collect();
    assert_eq!(facts.len(), 1, "{facts:?}");
    let sql = "select ended_at = started_at + interval '77 seconds' as late, count(*) > 5 as some from user_sessions
        where date = '2026-03-11' group by late";
    let answer = lakes.in_bucket.run(&["query", "--format", "csv", sql]).await.expect(0);
    assert_eq!(answer.out, "late,some\ntrue,true\n");
}

async fn a_person_is_erased(lakes: &Lakes) {
    let somebody = "select user_id::text from user_sessions group by user_id order by count(*) desc, user_id limit 1";
    let id: String = sqlx::query_scalar(somebody)
        .fetch_one(lakes.platform.sources.pool())
        .await
        .unwrap();
    let key = lakes.in_bucket.run(&["user-key", &id]).await.expect(0).out;
    for kindred in [&lakes.in_bucket, &lakes.in_folder] {
        kindred
            .run(&["erase", &id])
            .await
            .expect(0)
            .says(&["\"rowsLeft\": 0", "\"facts/user_sessions\""]);
    }
    let sql = format!("select count(*) as n from user_sessions where user_key = {key}");
    let answer = lakes.in_bucket.run(&["query", "--format", "csv", &sql]).await.expect(0);
    assert_eq!(answer.out, "n\n0\n");
    lakes.run("daily").await;
    lakes.are_equal("after an erasure").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_cannot_be_used_is_told_with_what_to_check_and_never_with_its_keys() {
    let platform = Platform::simulated().await;
    let s3 = S3Server::start().await;
    let [key, secret] = s3.demand_keys().await;
    let kindred = S3Server::keeps_lake_of(platform.kindred(), &s3.url());
    let with_keys = |key: &str, secret: &str| {
        let kindred = kindred.clone().with("AWS_ACCESS_KEY_ID", key);
        kindred.with("AWS_SECRET_ACCESS_KEY", secret)
    };
    let right = with_keys(&key, &secret);
    right.run(&["check"]).await.expect(0).says(&["ok       lake"]);

    let refused = ["access is refused", "AWS_ACCESS_KEY_ID", LAKE];
    let cases = [
        ("an unknown key", with_keys("AKIACANARYOFATEST", "canary"), refused),
        ("a wrong secret", with_keys(&key, "canary-of-a-secret"), refused),
        (
            "no such bucket",
            right.clone().with("LAKE_URL", "s3://nowhere/kindred"),
            ["there is no such bucket", "LAKE_URL", "s3://nowhere/kindred"],
        ),
        (
            "nobody there",
            right.with("AWS_ENDPOINT", "http://127.0.0.1:1"),
            ["no answer", "AWS_ENDPOINT", LAKE],
        ),
    ];
    for (case, kindred, words) in cases {
        let commands: [&[&str]; 4] = [
            &["check"],
            &["run", "daily"],
            &["serve"],
            &["query", "select * from users"],
        ];
        for command in commands {
            let answer = kindred.clone().with("LOG_LEVEL", "trace").run(command).await;
            let said = answer.to_string();
            assert_eq!(answer.code, Some(3), "{case}: {command:?}: {said}");
            for word in words {
                assert!(said.contains(word), "{case}: {command:?} does not say `{word}`: {said}");
            }
            assert!(
                !said.contains("canary-of-a-secret") && !said.contains(&secret),
                "{case}: {command:?}: {said}"
            );
        }
    }
    assert_eq!(platform.ledger().await, [], "a run began all the same");
}
