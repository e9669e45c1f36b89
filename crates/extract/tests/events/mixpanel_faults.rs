//! Mixpanel's raw export when it answers 429, 500, half a line, or nothing.

use std::time::{Duration, Instant};

use kindred_extract::{ErrorKind, ExtractError};
use kindred_testkit::at;

use crate::fake_mixpanel::{Answer, FakeMixpanel, SECRET, body, lines};
use crate::mixpanel::hourly;
use crate::source::{everything, read, try_read};

const BUSY: Answer = Answer::Status(429, &[], "");

async fn failure(server: &FakeMixpanel) -> ExtractError {
    let error = try_read(&server.source(), hourly()).await.err().expect("an error");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    error
}

#[tokio::test]
async fn a_day_is_asked_for_again_after_an_answer_that_will_pass() {
    let half = lines(&["a", "b"]);
    let half = &half[..half.len() - 30];
    for fault in [
        BUSY,
        Answer::Status(500, &[], "oops"),
        Answer::Status(503, &[], ""),
        Answer::Status(504, &[], "<html>"),
        Answer::Broken(&[]),
        Answer::Broken(&["{\"event\":"]),
        Answer::Body(half.into()),
        Answer::Slow(Duration::from_secs(60), vec!["{}".into()]),
    ] {
        let server = FakeMixpanel::start([fault, body(&["a", "b"])]).await;
        let read = read(&server.source(), hourly()).await;
        assert_eq!(server.days()[..3], ["2026-03-08", "2026-03-08", "2026-03-09"]);
        assert_eq!(read.column("event_id"), ["a", "b"]);
        assert!(read.rejected().is_empty());
        assert_eq!(read.counts(), (2, 0), "what a broken answer held is counted twice");
    }
}

#[tokio::test]
async fn nothing_is_no_events_and_no_error() {
    let server = FakeMixpanel::start([]).await;
    let read = read(&server.source(), hourly()).await;
    assert!(read.batches.is_empty());
    assert_eq!(server.days().len(), 3);
    assert_eq!(read.extracted_to, Some(hourly().now));
}

#[tokio::test]
async fn events_handed_out_before_an_answer_broke_off_come_again_and_what_was_found_is_told_once() {
    let ids: Vec<_> = (0..150).map(|n| n.to_string()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let text = format!("secret\n{}", lines(&ids));
    let broken = Answer::Body(format!("{text}{{\"half").into());
    let server = FakeMixpanel::start([broken, Answer::Body(text.into())]).await;
    let read = read(&server.source(), hourly()).await;
    assert_eq!(
        read.column("event_id").len(),
        250,
        "a batch of the first answer, and all of the second"
    );
    assert_eq!(read.reasons().len(), 1);
    assert_eq!(read.counts(), (150, 0));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let busy = Answer::Status(429, &[("retry-after", "1")], "");
    let server = FakeMixpanel::start([busy, body(&["a"])]).await;
    let began = Instant::now();
    assert_eq!(read(&server.source(), hourly()).await.column("event_id"), ["a"]);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_server_that_stays_broken_is_given_up_on_after_all_tries_with_the_day_and_its_last_words() {
    let server = FakeMixpanel::start(std::iter::repeat_n(
        Answer::Status(500, &[], r#"{"error":"on fire"}"#),
        9,
    ))
    .await;
    let error = failure(&server).await;
    assert_eq!(server.days().len(), 3, "one try and two more");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    for part in ["2026-03-08", "project 42", "tried 3 times", "500", "on fire"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn half_a_line_each_time_is_an_error_and_nothing_is_set_aside() {
    let server = FakeMixpanel::start(std::iter::repeat_n(Answer::Body(b"{\"event\":\"secret".into()), 9)).await;
    let error = failure(&server).await;
    assert!(error.to_string().contains("ended in the middle of a line"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_server_that_nobody_answers_at_is_told() {
    let server = FakeMixpanel::start([]).await;
    let mut config = server.config_with(|_| {});
    config.mixpanel.base_url = Some("http://127.0.0.1:1".into());
    let source = kindred_extract::EventSource::new(config).unwrap();
    let error = try_read(&source, hourly()).await.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_used_up_limit_before_the_first_day_is_an_error_that_says_for_how_long() {
    let server = FakeMixpanel::start([Answer::Status(429, &[("retry-after", "1800")], "")]).await;
    let error = failure(&server).await;
    assert_eq!(server.days().len(), 1, "it was asked again in spite of the limit");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("1800 s"), "{error}");

    let server = FakeMixpanel::start(std::iter::repeat_n(BUSY, 9)).await;
    assert_eq!(failure(&server).await.kind(), ErrorKind::Timeout);
    assert_eq!(server.days().len(), 3);
}

#[tokio::test]
async fn a_limit_used_up_later_keeps_what_was_read_and_leaves_the_rest_to_the_next_run() {
    let server = FakeMixpanel::start([body(&["a"]), Answer::Status(429, &[("retry-after", "1800")], "")]).await;
    let source = server.source();
    let first = read(&source, everything()).await;
    assert_eq!(first.column("event_id"), ["a"]);
    assert_eq!(server.days(), ["2026-02-04", "2026-02-05"]);
    assert_eq!(first.extracted_to, Some(at("2026-02-05T00:00:00Z")));

    let mut next = everything();
    next.since = first.extracted_to;
    let next = read(&source, next).await;
    assert_eq!(server.days()[2], "2026-02-03");
    assert_eq!(server.days().last().unwrap(), "2026-03-10");
    assert_eq!(next.extracted_to, Some(everything().now));
}

#[tokio::test]
async fn our_own_count_of_an_hours_requests_stops_before_mixpanel_has_to() {
    let server = FakeMixpanel::start([]).await;
    let source = server.source_with(|patience| patience.requests_per_hour = 5);
    let read = read(&source, everything()).await;
    assert_eq!(server.days().len(), 5);
    assert_eq!(read.extracted_to, Some(at("2026-02-09T00:00:00Z")));
    let error = try_read(&source, hourly()).await.err().expect("the hour is full");
    assert!(matches!(error, ExtractError::ExportLimit { .. }), "{error}");
    assert_eq!(server.days().len(), 5);
}

#[tokio::test]
async fn a_limit_never_moves_the_watermark_back() {
    let server = FakeMixpanel::start([body(&[]), Answer::Status(429, &[("retry-after", "1800")], "")]).await;
    assert_eq!(read(&server.source(), hourly()).await.extracted_to, hourly().since);
}

#[tokio::test]
async fn wrong_password_missing_role_and_wrong_project_are_told_apart_and_not_tried_again() {
    for (status, kind, advice) in [
        (
            401,
            ErrorKind::Credentials,
            "check MIXPANEL_USERNAME and MIXPANEL_SECRET",
        ),
        (403, ErrorKind::Credentials, "give the service account a role"),
        (402, ErrorKind::Credentials, "the plan includes raw export"),
        (400, ErrorKind::Settings, "check the project in EVENTS_URL"),
        (404, ErrorKind::Settings, "MIXPANEL_BASE_URL"),
    ] {
        let refusal = Answer::Status(status, &[], r#"{"error":"no such luck","status":0}"#);
        let server = FakeMixpanel::start(std::iter::repeat_n(refusal, 3)).await;
        let error = failure(&server).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.to_string().contains(advice) && error.to_string().contains("no such luck"),
            "{error}"
        );
        assert_eq!(server.days().len(), 1);
        let checked = server.source().check(hourly().now).await.unwrap_err();
        assert_eq!(checked[0].kind(), kind);
    }
}
