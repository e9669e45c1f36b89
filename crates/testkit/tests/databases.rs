//! The test kit itself: databases apart from each other, templates built once, nothing left behind.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kindred_testkit::{Template, TestDatabase, TestServer, at, day};
use sqlx::{Connection, PgConnection, PgPool};

async fn exists(database: &str) -> bool {
    let mut connection = PgConnection::connect(&TestServer::get().await.url("postgres"))
        .await
        .unwrap();
    let found = sqlx::query_scalar("select exists (select from pg_database where datname = $1)");
    found.bind(database).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own_and_it_goes_with_it() {
    let (one, other) = (
        TestDatabase::create("Some label").await,
        TestDatabase::create("Some label").await,
    );
    assert!(one.name().starts_with("some_label_"));
    sqlx::query("create table t ()").execute(one.pool()).await.unwrap();
    sqlx::query("create table t ()").execute(other.pool()).await.unwrap();

    let name = one.name().to_owned();
    let still_open = one.pool().clone().acquire().await.unwrap();
    drop(one);
    let began = Instant::now();
    while exists(&name).await {
        assert!(began.elapsed() < Duration::from_secs(20), "{name} is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(still_open);
    assert!(exists(other.name()).await);
}

#[tokio::test]
async fn a_template_is_built_once_and_copied() {
    static BUILT: AtomicU32 = AtomicU32::new(0);
    let name = format!("numbers {}", std::process::id());
    let build = async |url: String| {
        BUILT.fetch_add(1, Ordering::SeqCst);
        let pool = PgPool::connect(&url).await?;
        sqlx::query("create table number as select 42 as n")
            .execute(&pool)
            .await
            .map(drop)
    };
    let (one, other) = tokio::join!(Template::once(&name, build), Template::once(&name, build));
    assert_eq!(BUILT.load(Ordering::SeqCst), 1);

    for template in [one, other] {
        let copy = TestDatabase::from_template(&template, "copy").await;
        let n: i32 = sqlx::query_scalar("select n from number")
            .fetch_one(copy.pool())
            .await
            .unwrap();
        assert_eq!(n, 42);
    }
}

#[test]
fn dates_are_read_as_they_are_written() {
    assert_eq!(day("2026-03-01").to_string(), "2026-03-01");
    assert_eq!(at("2026-03-01T12:30:00Z"), at("2026-03-01 13:30:00+01:00"));
}
