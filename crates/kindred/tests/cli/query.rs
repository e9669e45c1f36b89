//! `kindred query`: every format, and what a statement may not do.

use std::fs;

use serde_json::Value;

use crate::support::{DAY, Kindred, Platform};

const SQL: &str =
    "select date, total_active_users as active, total_revenue, is_partial from daily_kpi_summaries order by date";

/// A platform with two days of figures; its folders live as long as it does.
async fn computed() -> (Platform, Kindred) {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    kindred
        .run(&["run", "daily", "--from", DAY, "--to", "2026-03-12"])
        .await
        .expect(0);
    // The lake is enough for it.
    let kindred = kindred.with("DATABASE_URL", crate::support::UNREACHABLE);
    (platform, kindred)
}

#[tokio::test]
async fn every_format_holds_the_warehouses_figures() {
    let (platform, kindred) = computed().await;
    let active = platform
        .count("select total_active_users from daily_kpi_summaries where date = '2026-03-10'")
        .await;
    assert!(active > 5);

    let table = kindred.run(&["query", SQL]).await.expect(0);
    table.says(&["| date       | active |", &format!("| 2026-03-10 | {active:<6} |")]);

    let csv = kindred.run(&["query", "--format", "csv", SQL]).await.expect(0).out;
    let rows: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["date", "active", "total_revenue", "is_partial"]);
    assert_eq!(
        (rows.len(), rows[1][0], rows[1][1]),
        (3, DAY, active.to_string().as_str()),
        "{csv}"
    );

    let json = kindred.run(&["query", "--format", "json", SQL]).await.expect(0).out;
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (rows.len(), &rows[0]["date"], &rows[0]["active"]),
        (2, &DAY.into(), &active.into()),
        "{json}"
    );

    let parquet = kindred
        .run(&["query", "--format", "parquet", SQL])
        .await
        .expect(0)
        .bytes;
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let file = platform.home.path().join("answer.arrow");
    let answer = kindred
        .run(&["query", "--format", "arrow", "--output", file.to_str().unwrap(), SQL])
        .await;
    assert_eq!(answer.expect(0).out, "");
    let arrow = fs::read(file).unwrap();
    // An IPC stream: a continuation marker and the schema first, the end of the stream last.
    assert!(arrow.starts_with(&[0xff; 4]) && arrow.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
}

#[tokio::test]
async fn an_answer_without_rows_has_its_columns_still() {
    let (_platform, kindred) = computed().await;
    let none = "select date, total_active_users as active from daily_kpi_summaries where false";
    let answer = kindred.run(&["query", none]).await.expect(0);
    answer.says(&["| date | active |"]);
    let answer = kindred.run(&["query", "--format", "csv", none]).await.expect(0);
    assert_eq!(answer.out, "date,active\n");
    assert_eq!(
        kindred.run(&["query", "--format", "json", none]).await.expect(0).out,
        ""
    );
}

#[tokio::test]
async fn a_statement_that_fails_says_why_and_changes_nothing() {
    let (platform, kindred) = computed().await;
    for (sql, word) in [
        ("selec 1", "selec"),
        ("select * from nowhere", "nowhere"),
        ("select nothing from users", "nothing"),
        ("drop table users", "not supported"),
        ("insert into users select * from users", "not supported"),
        ("copy (select 1) to '/tmp/kindred-cli-stolen.csv'", "not supported"),
        (
            "create external table t stored as csv location '/etc/passwd'",
            "not supported",
        ),
    ] {
        kindred
            .run(&["query", sql])
            .await
            .expect(1)
            .complains(&["kindred: ", word]);
    }
    let unwritable = platform.home.path().join("no/such/folder.csv");
    let answer = kindred
        .run(&["query", "--output", unwritable.to_str().unwrap(), "select 1"])
        .await;
    answer.expect(1).complains(&["no/such/folder.csv", "No such file"]);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let (_platform, kindred) = computed().await;
    let many = "select a.user_key, b.created_at from swipes a cross join swipes b limit 200000";
    let mut child = kindred.command(&["query", "--format", "csv", many]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), "")
    );
}
