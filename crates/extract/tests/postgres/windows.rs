//! Which rows a window holds, and which dates.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kindred_extract::ErrorKind;
use kindred_model::{DayWindow, Fact, Source};
use kindred_testkit::{at, day};

use crate::platform::{Platform, collect, column, fill, open, read_all, read_window, try_collect};

/// Sessions at these instants, in a database whose clocks are set to New York's.
async fn sessions(instants: &[&str]) -> Platform {
    let platform = Platform::empty(Source::Users).await;
    let name = platform.database.name().to_owned();
    platform
        .execute(&format!("alter database {name} set timezone = 'America/New_York'"))
        .await;
    for at in instants {
        platform
            .execute(&format!(
                "insert into user_sessions (id, user_id, started_at, last_seen_at, updated_at)
                 values (gen_random_uuid(), gen_random_uuid(), '{at}', '{at}', timestamptz '{at}' + interval '10 days')"
            ))
            .await;
    }
    platform
}

const AROUND_A_DAY: [&str; 5] = [
    "2025-12-31T23:59:59.999999Z",
    "2026-01-02T00:00:00Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T23:59:59.999999Z",
    "2026-01-01T12:00:00.000001Z",
];

#[tokio::test]
async fn a_window_is_half_open_to_the_microsecond_and_its_rows_come_in_order() {
    let platform = sessions(&AROUND_A_DAY).await;
    let snapshot = open(&platform.extractor(), Fact::UserSessions).await;
    let read = read_window(&snapshot, Fact::UserSessions, day("2026-01-01"), day("2026-01-02")).await;
    let expected = [AROUND_A_DAY[2], AROUND_A_DAY[4], AROUND_A_DAY[3]];
    assert_eq!(
        column(&read, "started_at"),
        expected.map(|text| at(text).timestamp_micros().to_string())
    );
}

#[tokio::test]
async fn dates_here_and_there_are_read_at_once_and_in_order() {
    let platform = sessions(&AROUND_A_DAY).await;
    let snapshot = open(&platform.extractor(), Fact::UserSessions).await;
    let here_and_there = ["2026-01-02", "2025-12-31"].map(|date| DayWindow::day(day(date)));
    let read = collect(snapshot.read_days(Fact::UserSessions, &here_and_there)).await;
    assert_eq!(
        column(&read, "started_at"),
        [AROUND_A_DAY[0], AROUND_A_DAY[1]].map(|text| at(text).timestamp_micros().to_string()),
        "without the day between them, the earlier first though it was asked for last"
    );
}

#[tokio::test]
async fn a_window_without_bounds_holds_every_row() {
    let platform = sessions(&AROUND_A_DAY).await;
    assert_eq!(read_all(&platform.extractor(), Fact::UserSessions).await.num_rows(), 5);
}

#[tokio::test]
async fn rows_are_counted_by_utc_date_from_a_date_on() {
    let platform = sessions(&AROUND_A_DAY).await;
    let snapshot = open(&platform.extractor(), Fact::UserSessions).await;
    let all = [(day("2025-12-31"), 1), (day("2026-01-01"), 3), (day("2026-01-02"), 1)];
    assert_eq!(
        snapshot.counts(Fact::UserSessions, None).await.unwrap(),
        BTreeMap::from(all)
    );
    let from = snapshot
        .counts(Fact::UserSessions, Some(day("2026-01-01")))
        .await
        .unwrap();
    assert_eq!(from, BTreeMap::from([all[1], all[2]]));
}

#[tokio::test]
async fn changed_dates_are_the_utc_dates_of_rows_updated_since_an_instant_that_instant_included() {
    let platform = sessions(&AROUND_A_DAY).await;
    let snapshot = open(&platform.extractor(), Fact::UserSessions).await;
    let since = async |text| {
        let dates = snapshot.changed_dates(Fact::UserSessions, at(text)).await.unwrap();
        dates.into_iter().map(|date| date.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        since("2025-01-01T00:00:00Z").await,
        ["2025-12-31", "2026-01-01", "2026-01-02"]
    );
    assert_eq!(since("2026-01-11T23:59:59.999999Z").await, ["2026-01-01", "2026-01-02"]);
    assert_eq!(since("2026-01-12T00:00:00.000001Z").await, [""; 0]);
}

#[tokio::test]
async fn every_fact_answers_for_its_counts_and_those_with_updated_at_for_what_changed() {
    for &source in Source::DATABASES {
        let platform = Platform::empty(source).await;
        fill(&platform, 30).await;
        let extractor = platform.extractor();
        let facts: Vec<_> = crate::platform::facts(source);
        let snapshot = extractor.open(&facts).await.unwrap();
        for fact in facts {
            let counts = snapshot.counts(fact, None).await.unwrap();
            assert_eq!(counts.values().sum::<u64>(), 30, "{fact}");
            match snapshot.changed_dates(fact, at("2026-01-01T00:00:00Z")).await {
                Ok(dates) => assert!(dates.iter().eq(counts.keys()), "{fact}"),
                Err(error) => {
                    assert!(
                        matches!(fact.capture(), kindred_model::Capture::LookBack { .. }),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_date_beyond_postgresql_is_an_error_of_the_server_and_no_sql() {
    let platform = sessions(&AROUND_A_DAY).await;
    let snapshot = open(&platform.extractor(), Fact::UserSessions).await;
    for (from, to) in [(Some(NaiveDate::MAX), None), (None, Some(NaiveDate::MIN))] {
        let error = try_collect(snapshot.read(Fact::UserSessions, from, to))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    assert_eq!(platform.count("select count(*) from user_sessions").await, 5);
}
