//! NDJSON files in a folder.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use kindred_extract::{ErrorKind, fact_schema, rejected_batch};
use kindred_model::Fact;
use kindred_testkit::at;
use tempfile::TempDir;

use crate::source::{config, drain, everything, key, read, source, try_read};

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(folder.path(), name, content.as_bytes());
    }
    folder
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// An event of the anonymous `d1`, at 12:00 on 2026-03-10, that arrived a second later.
pub(crate) fn event(id: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","anonymous_id":"d1","event_name":"app_open","event_time":"2026-03-10T12:00:00Z","received_at":"2026-03-10T12:00:01Z"}}"#
    )
}

fn address(folder: &TempDir) -> String {
    folder.path().display().to_string()
}

#[tokio::test]
async fn a_line_has_the_columns_of_the_table_and_leaves_as_a_row_of_the_fact() {
    let user = "6f1c0d3a-8d5e-4f0b-9a55-2b7c1e9f3d42";
    let line = format!(
        r#"{{"event_id":"e1","user_id":"{user}","anonymous_id":"d1","session_id":"s1","event_name":"swipe_right",
            "properties":{{"target_user_id":"{user}","super_like":true,"email":"a@b.c"}},"event_time":"2026-03-10T12:00:00.5Z",
            "received_at":"2026-03-10T12:00:01Z","platform":"iOS","app_version":"4.1.0","country":"FR"}}"#
    )
    .replace('\n', " ");
    for address in [|path: &str| path.to_owned(), |path: &str| format!("file://{path}")] {
        let folder = folder(&[("a.ndjson", &line)]);
        let read = read(&source(&address(folder.path().to_str().unwrap())), everything()).await;
        assert_eq!(read.batches[0].events.schema(), fact_schema(Fact::Events));
        for (column, expected) in [
            ("event_id", "e1"),
            ("user_key", "-8723311949586557094"),
            ("anonymous_key", &key("d1")),
            ("session_id", "s1"),
            ("event_name", "swipe_right"),
            (
                "properties",
                r#"{"super_like":true,"target_user_id":-8723311949586557094}"#,
            ),
            ("event_time", "2026-03-10T12:00:00.500+00:00"),
            ("received_at", "2026-03-10T12:00:01+00:00"),
            ("platform", "ios"),
            ("app_version", "4.1.0"),
            ("country", "FR"),
        ] {
            assert_eq!(read.column(column), [expected], "{column}");
        }
        assert_eq!(read.counts(), (1, 0));
        assert_eq!(read.extracted_to, Some(everything().now));
    }
}

#[tokio::test]
async fn every_ndjson_file_below_the_folder_is_read_packed_or_not_and_no_other() {
    let folder = folder(&[
        ("a.ndjson", &event("a")),
        ("2026/03/b.jsonl", &event("b")),
        ("c.json", &event("c")),
        ("d.csv", &event("d")),
        ("e.ndjson.tmp", &event("e")),
        ("plain in spite of its name.json.gz", &event("f")),
    ]);
    write(folder.path(), "g.ndjson.gz", &gzip(&event("g")));
    write(folder.path(), "packed in spite of its name.json", &gzip(&event("h")));
    let read = read(&source(&address(&folder)), everything()).await;
    let mut ids = read.column("event_id");
    ids.sort();
    assert_eq!(ids, ["a", "b", "c", "f", "g", "h"]);
    assert_eq!(read.files.len(), 6);
    assert!(read.rejected().is_empty());
}

#[tokio::test]
async fn an_event_that_does_not_say_when_it_arrived_came_with_its_file() {
    let line = |received: &str| {
        event("e").replace(
            r#""received_at":"2026-03-10T12:00:01Z""#,
            &format!(r#""received_at":{received}"#),
        )
    };
    let folder = folder(&[(
        "a.ndjson",
        &[
            line("null"),
            line(r#""2026-03-10T12:30:00Z""#),
            line(r#""9999-01-01T00:00:00Z""#),
        ]
        .join("\n"),
    )]);
    let written = at("2026-03-10T13:00:00Z");
    fs::File::open(folder.path().join("a.ndjson"))
        .unwrap()
        .set_modified(written.into())
        .unwrap();
    let read = read(&source(&address(&folder)), everything()).await;
    let with_the_file = written.to_rfc3339();
    assert_eq!(
        read.column("received_at"),
        [&with_the_file, "2026-03-10T12:30:00+00:00", &with_the_file]
    );
}

#[tokio::test]
async fn a_clock_more_than_a_day_ahead_is_not_believed_and_one_of_exactly_a_day_is() {
    let line = |id, time| event(id).replace("2026-03-10T12:00:00Z", time);
    let lines = [
        line("late", "2026-01-01T00:00:00Z"),
        line("a day", "2026-03-11T12:00:01Z"),
        line("more", "2026-03-11T12:00:01.000001Z"),
        line("far", "9000-01-01T00:00:00Z"),
    ];
    let read = read(
        &source(&address(&folder(&[("a.json", &lines.join("\n"))]))),
        everything(),
    )
    .await;
    let arrival = "2026-03-10T12:00:01+00:00";
    assert_eq!(
        read.column("event_time"),
        [
            "2026-01-01T00:00:00+00:00",
            "2026-03-11T12:00:01+00:00",
            arrival,
            arrival
        ]
    );
    assert_eq!(read.counts(), (0, 2));
}

#[tokio::test]
async fn copies_and_events_out_of_order_are_all_handed_out_in_batches_of_the_size_asked_for() {
    let lines: Vec<_> = (0..250).map(|n| event(&format!("{}", n % 50))).collect();
    let read = read(
        &source(&address(&folder(&[("a.json", &lines.join("\r\n"))]))),
        everything(),
    )
    .await;
    let sizes: Vec<_> = read.batches.iter().map(|batch| batch.events.num_rows()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(read.column("event_id")[49..51], ["49", "0"]);
}

#[tokio::test]
async fn large_events_make_small_batches() {
    let large = "x".repeat(900_000);
    let line = |n: u32| event(&n.to_string()).replacen('{', &format!(r#"{{"properties":{{"screen":"{large}"}},"#), 1);
    let lines: Vec<_> = (0..25).map(line).collect();
    let read = read(
        &source(&address(&folder(&[("a.json", &lines.join("\n"))]))),
        everything(),
    )
    .await;
    assert_eq!(read.column("event_id").len(), 25);
    assert!(read.batches.iter().all(|batch| batch.events.num_rows() <= 10));
}

#[tokio::test]
async fn a_file_is_read_again_when_it_has_changed_and_not_before() {
    let folder = folder(&[("a.ndjson", &event("a")), ("b.ndjson", &event("b"))]);
    let source = source(&address(&folder));
    let first = read(&source, everything()).await;
    let mut again = everything();
    again.known_files = first.files.into_iter().collect();
    assert!(read(&source, again.clone()).await.batches.is_empty());

    write(
        folder.path(),
        "b.ndjson",
        format!("{}\n{}\n", event("b"), event("c")).as_bytes(),
    );
    let changed = read(&source, again.clone()).await;
    assert_eq!(changed.column("event_id"), ["b", "c"]);
    assert_eq!(changed.files.len(), 1);
    assert_ne!(changed.files[0].1, again.known_files["b.ndjson"]);
}

#[tokio::test]
async fn a_file_that_vanishes_after_the_listing_is_left_out_and_no_error() {
    let folder = folder(&[("a.ndjson", &event("a")), ("b.ndjson", &event("b"))]);
    let arrivals = source(&address(&folder)).open(everything()).await.unwrap();
    fs::remove_file(folder.path().join("a.ndjson")).unwrap();
    let read = drain(arrivals).await.unwrap();
    assert_eq!(read.column("event_id"), ["b"]);
    assert_eq!(read.files.len(), 1);
}

#[tokio::test]
async fn events_that_arrived_before_the_wanted_history_are_left_out() {
    let old = event("old").replace("2026-03-10T", "2026-02-28T");
    let folder = folder(&[("a.ndjson", &[old, event("new")].join("\n"))]);
    let mut request = everything();
    request.history_since = Some("2026-03-01".parse().unwrap());
    assert_eq!(
        read(&source(&address(&folder)), request).await.column("event_id"),
        ["new"]
    );
}

#[tokio::test]
async fn of_a_gzip_file_that_breaks_off_what_came_before_counts_and_the_rest_is_set_aside_once() {
    let lines: String = (0..2000)
        .map(|n| event(&format!("{n:x}{}", key(&n.to_string()))) + "\n")
        .collect();
    let folder = folder(&[]);
    let packed = gzip(&lines);
    write(folder.path(), "a.ndjson.gz", &packed[..packed.len() / 2]);
    write(folder.path(), "b.ndjson.gz", &gzip(&event("next")));
    let read = read(&source(&address(&folder)), everything()).await;
    let ids = read.column("event_id");
    assert!((500..2001).contains(&ids.len()), "{} events", ids.len());
    assert_eq!(ids.last().unwrap(), "next");
    let rejected = read.rejected();
    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].file.as_str(), rejected[0].length), ("a.ndjson.gz", None));
    let whole: usize = lines.lines().take(ids.len() - 1).map(|line| line.len() + 1).sum();
    assert_eq!(rejected[0].offset, Some(whole as u64));
    assert!(
        rejected[0]
            .reason
            .starts_with("the rest of the file cannot be unpacked")
    );
    assert_eq!(read.files.len(), 2, "it would be read again each time");
}

#[tokio::test]
async fn what_was_set_aside_can_be_kept_as_rows() {
    let folder = folder(&[("a.ndjson", &format!("{}\n{{\"half", event("a")))]);
    let read = read(&source(&address(&folder)), everything()).await;
    let rows = rejected_batch(&read.batches[0].rejected);
    assert_eq!(rows.schema(), kindred_extract::rejected_schema());
    assert_eq!(rows.num_rows(), 1);
    let hash = blake3_of(b"{\"half");
    assert_eq!(read.rejected()[0].hash, hash);
    assert!(format!("{rows:?}").contains(&hash));
}

fn blake3_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_with_its_name() {
    for check in [true, false] {
        let source = source("/no/such/folder");
        let error = if check {
            source.check(everything().now).await.unwrap_err().remove(0)
        } else {
            try_read(&source, everything()).await.err().expect("an error")
        };
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
    let empty = folder(&[]);
    source(&address(&empty)).check(everything().now).await.unwrap();
    assert!(read(&source(&address(&empty)), everything()).await.batches.is_empty());
}

#[tokio::test]
async fn many_bad_lines_are_handed_out_in_batches_too() {
    let bad = "no json\n".repeat(1000);
    let mut config = config(&address(&folder(&[])));
    let folder = folder(&[("a.ndjson", &bad)]);
    config.address = address(&folder).into();
    let source = kindred_extract::EventSource::new(config).unwrap();
    let read = read(&source, everything()).await;
    assert_eq!(read.rejected().len(), 1000);
    assert!(read.batches.iter().all(|batch| batch.rejected.len() <= 100));
}
