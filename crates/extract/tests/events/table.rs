//! The table `behavior_events` of a PostgreSQL database.

use kindred_extract::{ErrorKind, EventSource};
use kindred_testkit::{TestDatabase, at};
use sqlx::AssertSqlSafe;

use crate::source::{NOW, config, everything, key, read, source, try_read};

const USER: &str = "6f1c0d3a-8d5e-4f0b-9a55-2b7c1e9f3d42";

/// A database with these rows in its table, the columns in their order.
async fn table(rows: &[&str]) -> TestDatabase {
    let database = TestDatabase::create("events").await;
    execute(
        &database,
        include_str!("../../../../migrations/sources/interactions.sql"),
    )
    .await;
    for row in rows {
        execute(&database, &format!("insert into behavior_events values ({row})")).await;
    }
    database
}

async fn execute(database: &TestDatabase, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A row of the anonymous `d1` that arrived at an instant, a minute after it happened.
fn arrived(id: &str, at: &str) -> String {
    format!("'{id}', null, 'd1', null, 'app_open', '{{}}', timestamptz '{at}' - interval '1 minute', '{at}'")
}

#[tokio::test]
async fn a_row_leaves_cleaned_as_a_row_of_the_fact() {
    let row = format!(
        r#"'e1', '{USER}', 'd1', '00000000-0000-0000-0000-0000000000ab', 'swipe_right',
           '{{"target_user_id": "{USER}", "super_like": true, "email": "a@b.c"}}', '2026-03-12 12:00Z', '2026-03-10 12:00Z',
           'iOS', '4.1.0', 'FR'"#
    );
    let database = table(&[&row]).await;
    let source = source(&database.url());
    source.check(at(NOW)).await.unwrap();
    let read = read(&source, everything()).await;
    for (column, expected) in [
        ("event_id", "e1"),
        ("user_key", "-8723311949586557094"),
        ("anonymous_key", &key("d1")),
        ("session_id", "00000000-0000-0000-0000-0000000000ab"),
        ("event_name", "swipe_right"),
        (
            "properties",
            r#"{"super_like":true,"target_user_id":-8723311949586557094}"#,
        ),
        ("event_time", "2026-03-10T12:00:00+00:00"),
        ("received_at", "2026-03-10T12:00:00+00:00"),
        ("platform", "ios"),
        ("app_version", "4.1.0"),
        ("country", "FR"),
    ] {
        assert_eq!(read.column(column), [expected], "{column}");
    }
    assert_eq!(read.counts(), (1, 1));
    assert_eq!(read.extracted_to, Some(at(NOW)));
}

#[tokio::test]
async fn rows_come_by_arrival_from_ten_minutes_before_the_watermark_up_to_now() {
    let rows = [
        arrived("now", NOW),
        arrived("before now", "2026-03-10T13:59:59.999999Z"),
        arrived("first of the overlap", "2026-03-10T12:50:00Z"),
        arrived("before the overlap", "2026-03-10T12:49:59.999999Z"),
        arrived("old", "2025-03-10T00:00:00Z"),
    ];
    let database = table(&rows.each_ref().map(String::as_str)).await;
    let source = source(&database.url());
    let mut request = everything();
    assert_eq!(
        read(&source, request.clone()).await.column("event_id"),
        ["old", "before the overlap", "first of the overlap", "before now"]
    );
    request.history_since = Some("2026-01-01".parse().unwrap());
    assert_eq!(read(&source, request.clone()).await.column("event_id").len(), 3);
    request.since = Some(at("2026-03-10T13:00:00Z"));
    assert_eq!(
        read(&source, request).await.column("event_id"),
        ["first of the overlap", "before now"]
    );
}

#[tokio::test]
async fn a_row_of_nobody_is_set_aside_and_the_others_come() {
    let nobody = arrived("nobody", "2026-03-10T12:00:00Z");
    let rows = [
        nobody.replace("'d1'", "null"),
        nobody.replace("'nobody'", "'blank'").replace("'d1'", "''"),
        arrived("d1", "2026-03-10T12:00:00Z"),
    ];
    let database = table(&rows.each_ref().map(String::as_str)).await;
    let read = read(&source(&database.url()), everything()).await;
    assert_eq!(read.column("event_id"), ["d1"]);
    assert_eq!(read.reasons(), ["it has neither a user nor an anonymous id"; 2]);
    let mut hashes: Vec<_> = read.rejected().iter().map(|rejected| rejected.hash.clone()).collect();
    let mut expected = ["nobody", "blank"].map(|id| blake3::hash(id.as_bytes()).to_hex().to_string());
    hashes.sort();
    expected.sort();
    assert_eq!(hashes, expected);
    assert_eq!(
        (read.rejected()[0].file.as_str(), read.rejected()[0].offset),
        ("behavior_events", None)
    );
}

#[tokio::test]
async fn many_rows_come_in_batches() {
    let database = table(&[]).await;
    let many = "insert into behavior_events select i, null, 'd' || i, null, 'app_open', '{}',
        timestamptz '2026-03-01Z' + i * interval '1 second', timestamptz '2026-03-09Z' - i * interval '1 second'
        from generate_series(1, 250) as i";
    execute(&database, many).await;
    let read = read(&source(&database.url()), everything()).await;
    let sizes: Vec<_> = read.batches.iter().map(|batch| batch.events.num_rows()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(read.column("event_id")[0], "250");
}

#[tokio::test]
async fn a_table_that_does_not_keep_the_contract_is_told_before_a_row_is_read() {
    let database = table(&[]).await;
    execute(&database, "alter table behavior_events drop column country").await;
    let error = try_read(&source(&database.url()), everything())
        .await
        .err()
        .expect("an error");
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert!(
        error.to_string().contains("queries/extract/events/events.sql"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_without_its_password() {
    let source = EventSource::new(config("postgresql://u:hunter2@127.0.0.1:1/events")).unwrap();
    let error = try_read(&source, everything()).await.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("EVENTS_URL"), "{error}");
    assert!(!format!("{error} {error:?} {source:?}").contains("hunter2"));
}
