//! Lines of events that nobody would write on purpose: whatever a line holds, it becomes one event or is set aside once,
//! and what becomes an event can be stored.
//!
//! Lines are made of columns with likely and unlikely values, then bent out of shape. `make fuzz` runs many more of them.

mod json;

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use flate2::Compression;
use flate2::write::GzEncoder;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;

use super::arrivals::ArrivalBatch;
use super::files::{EventFiles, FileEvents, Place};
use super::gathering::Gathering;
use super::mixpanel::read as read_line;
use super::{ArrivalRequest, Cleaning, PropertyList};
use crate::UserKeys;

/// Stands in values of lines, and must stand in no reason.
const CANARY: &str = "canary";

fn cleaning() -> Cleaning {
    Cleaning {
        keys: UserKeys::new("correct horse battery staple").unwrap(),
        properties: PropertyList::new(["screen", "plan", "list", "$lib", "'; drop table x; --"]),
        batch_rows: 3,
    }
}

/// What an extraction of one file gives.
fn extracted(file: Vec<u8>) -> Vec<ArrivalBatch> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(InMemory::new());
        store.put(&Path::from("a.ndjson"), file.into()).await.unwrap();
        let files = EventFiles {
            place: Place::Store(store),
            label: "memory".to_owned(),
        };
        let request = ArrivalRequest {
            since: None,
            now: "2026-03-10T14:00:00Z".parse().unwrap(),
            history_since: None,
            days: None,
            reconciles: false,
            known_files: Default::default(),
        };
        let mut events = FileEvents::open(&files, cleaning(), &request).await.unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = events.next().await.unwrap() {
            batches.push(batch);
        }
        batches
    })
}

/// Lines that are not blank, counted as plainly as can be.
fn lines_of(file: &[u8]) -> usize {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let is_blank = |line: &&[u8]| line.trim_ascii().is_empty();
    file.split(|byte| *byte == b'\n').filter(|line| !is_blank(line)).count()
}

/// What PostgreSQL, Parquet and the figures can take.
fn assert_storable(events: &RecordBatch) {
    for name in [
        "event_id",
        "event_name",
        "session_id",
        "platform",
        "app_version",
        "country",
    ] {
        let texts = events.column_by_name(name).unwrap().as_string::<i32>();
        for text in texts.iter().flatten() {
            // Lower-casing a platform may lengthen it.
            assert!(text.len() <= 1024 && !text.contains('\0'), "{name}: {text:?}");
            assert!(!text.trim().is_empty(), "{name} is blank");
        }
    }
    let keys = |name| events.column_by_name(name).unwrap().as_primitive::<Int64Type>();
    let properties = events.column_by_name("properties").unwrap().as_string::<i32>();
    for row in 0..events.num_rows() {
        assert!(
            keys("user_key").is_valid(row) || keys("anonymous_key").is_valid(row),
            "nobody did it"
        );
        let kept: serde_json::Value = serde_json::from_str(properties.value(row)).unwrap();
        assert!(kept.is_object() && !holds_nul(&kept), "{kept}");
    }
    // From 1970 to 9999.
    for name in ["event_time", "received_at"] {
        let times = events
            .column_by_name(name)
            .unwrap()
            .as_primitive::<TimestampMicrosecondType>();
        assert!(
            times
                .values()
                .iter()
                .all(|micros| (0..253_402_300_800_000_000).contains(micros))
        );
    }
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(values) => values.iter().any(holds_nul),
        serde_json::Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Bytes of a line, whole or bent out of shape.
fn bent(line: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let junk = prop::collection::vec(any::<u8>(), 0..4);
    (line, 0..8_u8, any::<prop::sample::Index>(), junk).prop_map(|(line, how, at, junk)| {
        let mut bytes = line.into_bytes();
        let at = at.index(bytes.len() + 1);
        match how {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, junk)),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes[at] ^= 0x80,
            _ => {}
        }
        // One line, as those who count them see it.
        bytes.retain(|byte| *byte != b'\n');
        bytes
    })
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let ends = select(vec!["\n", "\r\n", "\n\n", "\n \t\n"]);
    let lines = prop::collection::vec((bent(json::line()), ends), 0..12);
    (lines, any::<bool>()).prop_map(|(lines, has_mark)| {
        let mut file = if has_mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        for (line, end) in lines {
            file.extend(line);
            file.extend(end.as_bytes());
        }
        file
    })
}

fn assert_nothing_is_lost(file: &[u8], batches: &[ArrivalBatch]) {
    let (mut taken, mut rejected) = (0, 0);
    for batch in batches {
        taken += batch.events.num_rows();
        rejected += batch.rejected.len();
        assert_storable(&batch.events);
        for one in &batch.rejected {
            assert!(!one.reason.contains(CANARY), "{}", one.reason);
        }
    }
    assert_eq!(taken + rejected, lines_of(file), "{:?}", String::from_utf8_lossy(file));
}

#[test]
fn such_lines_are_events_often_enough_to_show_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut line = |strategy: BoxedStrategy<String>| strategy.new_tree(&mut runner).unwrap().current();
    let now = "2026-03-10T14:00:00Z".parse().unwrap();
    let (mut lines, mut exports) = (0, 0);
    for _ in 0..500 {
        let file = extracted(line(json::line().boxed()).into_bytes());
        lines += file.iter().map(|batch| batch.events.num_rows()).sum::<usize>();
        exports += usize::from(read_line(line(json::export().boxed()).as_bytes(), &cleaning(), now).is_ok());
    }
    for (what, taken) in [("lines", lines), ("exports", exports)] {
        assert!((25..475).contains(&taken), "{taken} of 500 {what} are events");
    }
}

proptest! {
    #[test]
    fn every_line_of_a_file_becomes_an_event_or_is_set_aside(file in file()) {
        // What begins like gzip is gzip.
        prop_assume!(file.first() != Some(&0x1f));
        assert_nothing_is_lost(&file, &extracted(file.clone()));
    }

    #[test]
    fn a_file_is_read_the_same_when_it_is_packed(file in file()) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&file).unwrap();
        assert_nothing_is_lost(&file, &extracted(packed.finish().unwrap()));
    }

    #[test]
    fn bytes_of_no_shape_are_read_to_their_end(file in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assume!(file.first() != Some(&0x1f));
        assert_nothing_is_lost(&file, &extracted(file.clone()));
    }

    #[test]
    fn a_line_of_an_export_becomes_an_event_or_says_why_not(line in bent(json::export())) {
        let now = "2026-03-10T14:00:00Z".parse().unwrap();
        let cleaning = cleaning();
        let mut gathering = Gathering::new(1);
        match read_line(&line, &cleaning, now).and_then(|told| gathering.add(told)) {
            Ok(()) => assert_storable(&gathering.take_events().events),
            Err(reason) => prop_assert!(!reason.contains(CANARY), "{}", reason),
        }
    }

    #[test]
    fn two_exports_of_one_event_are_one_event(event in json::unbent_export(), times in any::<(u32, u32)>()) {
        let now = "2026-03-10T14:00:00Z".parse().unwrap();
        let cleaning = cleaning();
        let id = |time| {
            let line = event.replace("\"INTAKE\"", &u64::from(time).to_string());
            read_line(line.as_bytes(), &cleaning, now).map(|told| told.id.into_owned())
        };
        match (id(times.0), id(times.1)) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
            // What is wrong is at another byte.
            (one, other) => prop_assert!(one.is_err() && other.is_err(), "{:?} {:?}", one, other),
        }
    }
}
