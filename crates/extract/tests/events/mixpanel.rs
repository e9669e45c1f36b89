//! Mixpanel's raw export when all is well: which days are asked for, how, and what becomes of their lines.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use kindred_extract::{ErrorKind, EventSource};
use kindred_model::DayWindow;
use kindred_testkit::at;

use crate::fake_mixpanel::{Answer, FakeMixpanel, SECRET, body, lines};
use crate::source::{config, everything, key, read};

/// A request of an hourly run: three days.
pub(crate) fn hourly() -> kindred_extract::ArrivalRequest {
    let mut request = everything();
    request.since = Some(at("2026-03-10T13:00:00Z"));
    request
}

#[tokio::test]
async fn each_day_is_one_request_of_the_project_signed_by_the_service_account() {
    let server = FakeMixpanel::start([body(&["a"]), body(&[]), body(&["b", "c"])]).await;
    let read = read(&server.source(), hourly()).await;
    assert_eq!(read.column("event_id"), ["a", "b", "c"]);
    assert_eq!(server.days(), ["2026-03-08", "2026-03-09", "2026-03-10"]);
    server.with_asked(|asked| {
        for asked in asked {
            assert_eq!(asked.query["project_id"], "42");
            assert_eq!(asked.query["to_date"], asked.query["from_date"]);
            // robot:hunter2
            assert_eq!(asked.authorization, "Basic cm9ib3Q6aHVudGVyMg==");
        }
    });
    assert_eq!(read.column("user_key"), [key("u1"), key("u1"), key("u1")]);
    assert_eq!(read.column("received_at")[0], "2026-03-10T12:00:01+00:00");
    assert_eq!(read.counts(), (3, 0));
    assert_eq!(read.extracted_to, Some(hourly().now));
}

#[tokio::test]
async fn a_backfill_asks_for_its_days_and_says_nothing_of_the_watermark() {
    let server = FakeMixpanel::start([]).await;
    let mut request = hourly();
    request.days = Some(DayWindow::new("2026-01-30".parse().unwrap(), "2026-02-02".parse().unwrap()).unwrap());
    let read = read(&server.source(), request).await;
    assert_eq!(server.days(), ["2026-01-30", "2026-01-31", "2026-02-01"]);
    assert!(read.batches.is_empty());
    assert_eq!(read.extracted_to, None);
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(lines(&["a", "b"]).as_bytes()).unwrap();
    let server = FakeMixpanel::start([Answer::Body(packed.finish().unwrap())]).await;
    assert_eq!(read(&server.source(), hourly()).await.column("event_id"), ["a", "b"]);
}

#[tokio::test]
async fn a_line_that_is_no_event_is_set_aside_under_its_day_and_the_others_come() {
    let text = format!(
        "{}secret\n{{\"event\":\"x\",\"properties\":{{\"time\":1}}}}\n{}",
        lines(&["a"]),
        lines(&["b"])
    );
    let server = FakeMixpanel::start([Answer::Body(text.into())]).await;
    let read = read(&server.source(), hourly()).await;
    assert_eq!(read.column("event_id"), ["a", "b"]);
    assert_eq!(
        read.reasons(),
        [
            "it is no JSON, or nested too deeply, at byte 1",
            "it has neither a user nor an anonymous id"
        ]
    );
    assert_eq!(read.rejected()[0].file, "mixpanel/2026-03-08");
    assert_eq!(read.rejected()[0].offset, Some(lines(&["a"]).len() as u64));
}

#[tokio::test]
async fn a_last_line_without_an_end_is_an_event_when_its_json_is_whole() {
    let server = FakeMixpanel::start([Answer::Body(lines(&["a", "b"]).trim_end().into())]).await;
    assert_eq!(read(&server.source(), hourly()).await.column("event_id"), ["a", "b"]);
}

#[tokio::test]
async fn a_slow_server_is_waited_for_as_long_as_it_says_something() {
    let pieces: Vec<_> = lines(&["a", "b", "c"])
        .as_bytes()
        .chunks(60)
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect();
    assert!(pieces.len() > 6);
    let server = FakeMixpanel::start([Answer::Slow(Duration::from_millis(150), pieces)]).await;
    assert_eq!(
        read(&server.source(), hourly()).await.column("event_id"),
        ["a", "b", "c"]
    );
    assert_eq!(server.days().len(), 3);
}

#[tokio::test]
async fn requests_keep_their_distance() {
    let server = FakeMixpanel::start([]).await;
    read(
        &server.source_with(|patience| patience.between_requests = Duration::from_millis(200)),
        hourly(),
    )
    .await;
    server.with_asked(|asked| {
        for pair in asked.windows(2) {
            let distance = pair[1].at - pair[0].at;
            assert!(distance > Duration::from_millis(150), "{distance:?}");
        }
    });
}

#[tokio::test]
async fn a_check_asks_for_one_event_of_today() {
    let server = FakeMixpanel::start([body(&["a"])]).await;
    server.source().check(hourly().now).await.unwrap();
    server.with_asked(|asked| assert_eq!((asked.len(), asked[0].query["limit"].as_str()), (1, "1")));
    assert_eq!(server.days(), ["2026-03-10"]);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_told_without_the_secret() {
    let server = FakeMixpanel::start([]).await;
    let refused = |change: fn(&mut kindred_extract::EventsConfig)| {
        let mut config = server.config_with(|_| {});
        change(&mut config);
        assert!(!format!("{config:?}").contains(SECRET));
        EventSource::new(config).expect_err("it was taken")
    };
    for (error, setting) in [
        (refused(|config| config.mixpanel.username = None), "MIXPANEL_USERNAME"),
        (refused(|config| config.mixpanel.secret = None), "MIXPANEL_SECRET"),
        (
            refused(|config| config.mixpanel.base_url = Some("ftp://u:hunter2@x".into())),
            "MIXPANEL_BASE_URL",
        ),
        (
            refused(|config| config.mixpanel.base_url = Some("https://u:hunter2@x".into())),
            "MIXPANEL_BASE_URL",
        ),
        (refused(|config| config.address = "mixpanel://".into()), "EVENTS_URL"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(error.to_string().contains(setting), "{error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    assert!(!format!("{:?}", server.source()).contains(SECRET));
    assert!(!format!("{:?}", config("mixpanel://42")).contains("correct horse"));
}
