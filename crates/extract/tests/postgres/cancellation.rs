//! Reads that end early: nobody wants them any more, or they take too long.

use std::time::{Duration, Instant};

use kindred_extract::{ErrorKind, PostgresSource};
use kindred_model::{Fact, Source};

use crate::platform::{Platform, open, query_of};

/// A server that answered a cancellation at once still needs a moment to be seen idle.
const PROMPTLY: Duration = Duration::from_secs(3);

/// Swipes of which the first never comes, neither to be read nor to be counted.
fn stuck(platform: &Platform, deadline: Duration) -> PostgresSource {
    let rows = "select gen_random_uuid() as user_key, gen_random_uuid() as target_user_key, 'like' as action,
            now() as created_at
         where now() >= $from and now() < $to and pg_sleep(600)::text = ''";
    platform.extractor_with(|config| {
        config.deadline = deadline;
        query_of(config, Fact::Swipes).rows = rows.to_owned();
    })
}

#[tokio::test]
async fn dropping_a_read_that_waits_for_its_first_row_stops_it_on_the_server() {
    let platform = Platform::empty(Source::Interactions).await;
    let snapshot = open(&stuck(&platform, Duration::from_secs(60)), Fact::Swipes).await;
    let mut rows = snapshot.read(Fact::Swipes, None, None);
    let waiting = tokio::time::timeout(Duration::from_millis(300), rows.next()).await;
    assert!(waiting.is_err(), "a row came");
    platform.wait_until(true, PROMPTLY).await;
    drop(rows);
    platform.wait_until(false, PROMPTLY).await;
}

#[tokio::test]
async fn dropping_a_read_at_once_stops_it_whatever_it_has_come_to() {
    let platform = Platform::empty(Source::Interactions).await;
    let extractor = stuck(&platform, Duration::from_secs(60));
    let snapshot = open(&extractor, Fact::Swipes).await;
    for wait in [0, 1, 2, 5, 10, 20, 40] {
        let rows = snapshot.read(Fact::Swipes, None, None);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        drop(rows);
    }
    platform.wait_until(false, PROMPTLY).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(platform.busy().await, 0);
}

#[tokio::test]
async fn dropping_a_read_half_way_stops_it_on_the_server() {
    let platform = Platform::empty(Source::Interactions).await;
    platform
        .execute(
            "insert into swipes select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), repeat('x', 200),
                timestamptz '2026-01-01Z' + i * interval '1 second' from generate_series(1, 300000) as i",
        )
        .await;
    let snapshot = open(&platform.extractor(), Fact::Swipes).await;
    let mut rows = snapshot.read(Fact::Swipes, None, None);
    assert_eq!(rows.next().await.unwrap().unwrap().num_rows(), 1000);
    platform.wait_until(true, PROMPTLY).await;
    drop(rows);
    platform.wait_until(false, PROMPTLY).await;
}

#[tokio::test]
async fn a_read_beyond_its_deadline_is_an_error_and_leaves_the_server() {
    let platform = Platform::empty(Source::Interactions).await;
    let snapshot = open(&stuck(&platform, Duration::from_secs(1)), Fact::Swipes).await;
    let began = Instant::now();
    let mut rows = snapshot.read(Fact::Swipes, None, None);
    let error = rows.next().await.expect("an end").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error
            .to_string()
            .starts_with("reading swipes of the interactions database did not finish within 1 s"),
        "{error}"
    );
    assert!(began.elapsed() < PROMPTLY);
    assert!(rows.next().await.is_none());
    platform.wait_until(false, PROMPTLY).await;
}

#[tokio::test]
async fn a_reader_that_dawdles_meets_the_deadline_too() {
    let platform = Platform::empty(Source::Interactions).await;
    crate::platform::fill(&platform, 20_000).await;
    let extractor = platform.extractor_with(|config| {
        config.deadline = Duration::from_millis(1500);
        config.batch_rows = 10;
    });
    let mut rows = open(&extractor, Fact::Swipes).await.read(Fact::Swipes, None, None);
    rows.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let error = loop {
        if let Err(error) = rows.next().await.expect("a short result") {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_question_beyond_the_deadline_is_an_error() {
    let platform = Platform::empty(Source::Interactions).await;
    let snapshot = open(&stuck(&platform, Duration::from_secs(1)), Fact::Swipes).await;
    let error = snapshot.counts(Fact::Swipes, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}
