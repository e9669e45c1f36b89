//! NDJSON files under a prefix of an object store that speaks S3.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use kindred_extract::{ErrorKind, EventSource};

use crate::fake_s3::FakeS3;
use crate::files::event;
use crate::source::{config, drain, everything, read, try_read};

fn source(server: &FakeS3, access_key: &str) -> EventSource {
    let mut config = config("s3://events/app/v1");
    let options = [
        ("aws_endpoint", server.endpoint.as_str()),
        ("aws_allow_http", "true"),
        ("aws_region", "eu-west-1"),
        ("aws_access_key_id", access_key),
        ("aws_secret_access_key", "hunter2"),
    ];
    config.store_options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    EventSource::new(config).expect("the settings are good")
}

#[tokio::test]
async fn every_file_below_the_prefix_is_read_over_all_pages_of_the_listing() {
    let server = FakeS3::start().await;
    for (key, id) in [
        ("app/v1/2026/03/08.ndjson", "a"),
        ("app/v1/2026/03/09.ndjson", "b"),
        ("app/v1/2026/03/10.ndjson", "c"),
        ("app/v1/notes.txt", "d"),
        ("app/v2/other.ndjson", "e"),
    ] {
        server.put(key, event(id));
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(event("f").as_bytes()).unwrap();
    server.put("app/v1/z.ndjson.gz", packed.finish().unwrap());

    let source = source(&server, "reader");
    source.check(everything().now).await.unwrap();
    let read = read(&source, everything()).await;
    assert_eq!(read.column("event_id"), ["a", "b", "c", "f"]);
    assert_eq!(read.files[0].0, "2026/03/08.ndjson");
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_object_is_read_again_when_its_etag_changes_and_its_time_is_the_arrival() {
    let server = FakeS3::start().await;
    let silent = event("a").replace("received_at", "ignored");
    server.put("app/v1/a.ndjson", silent);
    let source = source(&server, "reader");
    let first = read(&source, everything()).await;
    assert_eq!(first.column("received_at"), ["2026-03-10T13:00:00+00:00"]);

    let mut again = everything();
    again.known_files = first.files.into_iter().collect();
    assert!(read(&source, again.clone()).await.batches.is_empty());
    server.put("app/v1/a.ndjson", event("b"));
    assert_eq!(read(&source, again).await.column("event_id"), ["b"]);
}

#[tokio::test]
async fn an_object_that_vanishes_after_the_listing_is_left_out_and_no_error() {
    let server = FakeS3::start().await;
    server.put("app/v1/a.ndjson", event("a"));
    server.put("app/v1/b.ndjson", event("b"));
    let arrivals = source(&server, "reader").open(everything()).await.unwrap();
    server.delete("app/v1/a.ndjson");
    let read = drain(arrivals).await.unwrap();
    assert_eq!(read.column("event_id"), ["b"]);
    assert_eq!(read.files.len(), 1);
}

#[tokio::test]
async fn a_store_that_does_not_let_us_in_is_told_with_bucket_and_prefix() {
    let server = FakeS3::start().await;
    let source = source(&server, "stranger");
    let error = try_read(&source, everything()).await.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    assert!(error.to_string().contains("s3://events/app/v1"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert_eq!(source.check(everything().now).await.unwrap_err().len(), 1);
}
