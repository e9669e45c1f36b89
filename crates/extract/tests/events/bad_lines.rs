//! Lines that are not what they should be, and what comes of each.

use crate::files::{event, folder};
use crate::source::{Read, everything, key, read, source};

/// The line between two good ones, as the second of three.
async fn between_good_ones(line: &[u8]) -> Read {
    let folder = folder(&[]);
    let text = [event("before").as_bytes(), line, event("after").as_bytes()].join(&b'\n');
    std::fs::write(folder.path().join("a.ndjson"), text).unwrap();
    let read = read(&source(folder.path().to_str().unwrap()), everything()).await;
    let ids = read.column("event_id");
    assert_eq!(
        (ids.first().unwrap().as_str(), ids.last().unwrap().as_str()),
        ("before", "after")
    );
    read
}

/// A good line with the value of one column replaced, or taken out.
fn with(column: &str, value: Option<&str>) -> String {
    let line: serde_json::Value = serde_json::from_str(&event("e")).unwrap();
    let others = line.as_object().unwrap().iter().filter(|(name, _)| *name != column);
    let mut members: Vec<_> = others.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    members.extend(value.map(|value| format!(r#""{column}":{value}"#)));
    format!("{{{}}}", members.join(","))
}

#[tokio::test]
async fn a_line_that_is_no_event_is_set_aside_with_its_place_and_reason_and_not_quoted() {
    let long = format!(r#""{}""#, "x".repeat(513));
    let huge = "x".repeat(1 << 20 | 1);
    let deep = format!(
        r#"{{"properties":{{"screen":{}{}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let no_utf8 = [b"{\"event_id\":\"".as_slice(), b"\xff\xfe", b"\"}"].concat();
    for (line, reason) in [
        (b"secret".to_vec(), "it is no JSON, or nested too deeply, at byte 1"),
        (br#"{"event_id":"secret"#.to_vec(), "its JSON breaks off at byte 19"),
        (br#"["secret"]"#.to_vec(), "it is no JSON object"),
        (br#""secret""#.to_vec(), "it is no JSON object"),
        (
            format!("{} {}", event("e"), event("secret")).into(),
            "it is no JSON, or nested too deeply",
        ),
        (no_utf8, "it is not UTF-8 from byte 13 on"),
        (deep.into(), "it is no JSON, or nested too deeply"),
        (huge.into(), "it is longer than 1048576 bytes"),
        (with("event_id", None).into(), "event_id is missing"),
        (with("event_id", Some(r#"" ""#)).into(), "event_id is missing"),
        (
            with("event_id", Some("{}")).into(),
            "event_id is neither a text nor a number",
        ),
        (
            with("event_id", Some("1.5")).into(),
            "event_id is a number with a fraction",
        ),
        (
            with("event_id", Some(&long)).into(),
            "the event's id is longer than 512 bytes",
        ),
        (
            with("event_id", Some(r#""secret\u0000""#)).into(),
            "the event's id holds a NUL character",
        ),
        (with("event_name", None).into(), "event_name is missing"),
        (
            with("event_name", Some(&long)).into(),
            "the event's name is longer than 512 bytes",
        ),
        (
            with("event_name", Some(r#""\ud800secret""#)).into(),
            "it is no JSON, or nested too deeply",
        ),
        (with("event_time", None).into(), "event_time is missing"),
        (with("event_time", Some("null")).into(), "event_time is missing"),
        (
            with("event_time", Some(r#""secret""#)).into(),
            "event_time is no instant",
        ),
        (
            with("event_time", Some(r#""1969-12-31T23:59:59Z""#)).into(),
            "its time lies before 1970 or after 9999",
        ),
        (
            with("received_at", Some(r#""secret""#)).into(),
            "received_at is no instant",
        ),
        (
            with("anonymous_id", None).into(),
            "it has neither a user nor an anonymous id",
        ),
        (
            with("anonymous_id", Some(r#""""#)).into(),
            "it has neither a user nor an anonymous id",
        ),
        (
            with("platform", Some("[1]")).into(),
            "platform is neither a text nor a number",
        ),
    ] {
        let read = between_good_ones(&line).await;
        let shown = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        assert_eq!(read.column("event_id").len(), 2, "{shown}");
        let rejected = read.rejected();
        assert_eq!(rejected.len(), 1, "{shown}");
        assert!(
            rejected[0].reason.starts_with(reason),
            "{shown}: {}",
            rejected[0].reason
        );
        assert!(
            !rejected[0].reason.contains("secret"),
            "{shown}: {}",
            rejected[0].reason
        );
        assert_eq!(rejected[0].file, "a.ndjson");
        assert_eq!(rejected[0].offset, Some(event("before").len() as u64 + 1));
        assert_eq!(rejected[0].length, Some(line.len() as u64), "{shown}");
        assert_eq!(rejected[0].hash, blake3::hash(&line).to_hex().to_string(), "{shown}");
    }
}

#[tokio::test]
async fn a_line_that_is_odd_and_still_an_event_is_taken() {
    let many: String = (0..10_000).map(|n| format!(r#""k{n}":{n},"#)).collect();
    let many = format!(r#"{{{many}"screen":"home"}}"#);
    let twice = event("first").replacen('{', r#"{"event_id":"overruled","#, 1);
    for (line, column, value, dropped) in [
        (with("anonymous_id", Some("42")), "anonymous_key", key("42"), 0),
        (with("event_id", Some("42")), "event_id", "42".into(), 0),
        (
            with("event_id", Some(r#""é\ud83d\ude00""#)),
            "event_id",
            "é😀".into(),
            0,
        ),
        (twice, "event_id", "first".into(), 0),
        (format!("\t{}  \r", event("e")), "event_id", "e".into(), 0),
        (with("unknown", Some(r#"{"a":["\ud800"]}"#)), "event_id", "e".into(), 0),
        (with("properties", Some("null")), "properties", "{}".into(), 0),
        (with("properties", Some("[1,2]")), "properties", "{}".into(), 1),
        (
            with("properties", Some(&many)),
            "properties",
            r#"{"screen":"home"}"#.into(),
            10_000,
        ),
        (
            with("properties", Some(r#"{"screen":"a\u0000"}"#)),
            "properties",
            "{}".into(),
            1,
        ),
        (
            with("properties", Some(r#"{"bio":"\ud800"}"#)),
            "properties",
            "{}".into(),
            1,
        ),
        (with("platform", Some("null")), "platform", "null".into(), 0),
        (with("platform", Some(r#"" ""#)), "platform", "null".into(), 0),
        (
            with("platform", Some(r#"" Windows Phone ""#)),
            "platform",
            "windows phone".into(),
            0,
        ),
        (with("app_version", Some("4.5")), "app_version", "4.5".into(), 0),
        (
            with("event_time", Some("1773144000")),
            "event_time",
            "2026-03-10T12:00:00+00:00".into(),
            0,
        ),
        (
            with("event_time", Some("1773144000000")),
            "event_time",
            "2026-03-10T12:00:00+00:00".into(),
            0,
        ),
    ] {
        let read = between_good_ones(line.as_bytes()).await;
        let shown = &line[..line.len().min(120)];
        assert_eq!(read.reasons(), [""; 0], "{shown}");
        assert_eq!(read.column(column)[1], value, "{shown}");
        assert_eq!(read.counts(), (dropped, 0), "{shown}");
    }
}

#[tokio::test]
async fn blank_lines_are_no_events_and_nothing_is_set_aside() {
    let read = between_good_ones(b"\n\r\n  \t \n").await;
    assert_eq!(read.column("event_id").len(), 2);
    assert!(read.rejected().is_empty());
}
