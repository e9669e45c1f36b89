//! JSON as its worst writers write it: the texts of values, not values, since no value holds half a surrogate pair.

use proptest::prelude::*;
use proptest::sample::select;

use super::CANARY;

/// Texts, within their quotes, that mean something to somebody on the way.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "a",
    "canary",
    "é",
    "😀",
    "\\u0000",
    "a\\u0000b",
    "\\ud800",
    "\\udfff",
    "\\ud83d\\ude00",
    "\\ud800\\ud800",
    "\\u202e",
    "\\u001b[2J",
    "'; drop table x; --",
    "\\\"",
    "\\\\",
    "=1+1",
    "*",
    "$1",
    "%s",
    "a,b\\nc",
    "null",
    "\\x",
    "\\u12",
    "\u{200b}",
];

const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "-1",
    "4.5",
    "1e400",
    "-1e-400",
    "9223372036854775807",
    "18446744073709551616",
    "1773144000",
    "1773144000000",
    "-62135596800",
    "253402300800",
    "1e18",
    "NaN",
    "01",
];

const TIMES: [&str; 14] = [
    "\"2026-03-10T12:00:00Z\"",
    "\"2026-03-10 12:00:00+00\"",
    "1773144000",
    "1773144000000",
    "\"+262142-12-31T23:59:59Z\"",
    "\"-262143-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
    "\"2016-12-31T23:59:60Z\"",
    "\"2026-03-10T12:00:00+23:59\"",
    "\"0000-00-00T00:00:00Z\"",
    "\"1969-12-31T23:59:59Z\"",
    "8210266876799999999",
    "-8334601228800000000",
    "9.9e17",
];

const UUID: &str = "\"11111111-1111-4111-8111-111111111111\"";

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        24 => select(vec!["tap", "ios", "canary", "'; drop table x; --", "é😀", "=1+1"]).prop_map(quoted),
        4 => select(TEXTS.to_vec()).prop_map(quoted),
        1 => "\\PC{0,20}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        1 => (500..1100_usize).prop_map(|length| quoted(&CANARY.repeat(length / 6))),
    ]
}

/// Any value, some way down.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        12 => select(vec!["null", "true", "false", "1", "4.5", "{}"]).prop_map(str::to_owned),
        1 => select(NUMBERS.to_vec()).prop_map(str::to_owned),
        1 => select(vec!["[", "}"]).prop_map(str::to_owned),
        12 => text(),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            6 => prop::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            6 => prop::collection::vec((text(), inner.clone()), 0..4).prop_map(object),
            1 => (inner, 1..140_usize).prop_map(|(value, deep)| format!("{}{value}{}", "[".repeat(deep), "]".repeat(deep))),
        ]
    })
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Mostly a value of the kind that is expected, now and then any.
fn mostly(likely: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop_oneof![60 => likely, 1 => value(), 1 => Just("null".to_owned())].boxed()
}

fn id() -> BoxedStrategy<String> {
    mostly(prop_oneof![
        6 => Just(UUID.to_owned()),
        2 => text(),
        1 => select(NUMBERS.to_vec()).prop_map(str::to_owned)
    ])
}

fn time() -> BoxedStrategy<String> {
    let likely = Just("\"2026-03-10T12:00:00Z\"".to_owned());
    mostly(prop_oneof![12 => likely, 1 => select(TIMES.to_vec()).prop_map(str::to_owned)])
}

fn properties() -> BoxedStrategy<String> {
    let names = [
        "screen",
        "plan",
        "list",
        "user_id",
        "target_user_id",
        "$lib",
        "email",
        "'; drop table x; --",
        "\\ud800",
    ];
    let name = prop_oneof![1 => select(names.to_vec()).prop_map(quoted), 4 => text()];
    mostly(prop::collection::vec((name, value()), 0..6).prop_map(object))
}

/// Members of these names, each now and then left out or there twice, in any order.
fn members(columns: Vec<(&'static str, BoxedStrategy<String>)>) -> impl Strategy<Value = String> {
    let columns: Vec<_> = columns
        .into_iter()
        .map(|(name, value)| {
            prop_oneof![
                1 => Just(Vec::new()),
                60 => value.clone().prop_map(move |value| vec![(quoted(name), value)]),
                1 => (value.clone(), value)
                    .prop_map(move |(one, other)| vec![(quoted(name), one), (quoted(name), other)]),
            ]
        })
        .collect();
    columns
        .prop_map(|columns| columns.into_iter().flatten().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(object)
}

/// A line of a file of ours.
pub(super) fn line() -> impl Strategy<Value = String> {
    members(vec![
        ("event_id", id()),
        ("user_id", id()),
        ("anonymous_id", id()),
        ("session_id", id()),
        ("event_name", mostly(text())),
        ("properties", properties()),
        ("event_time", time()),
        ("received_at", time()),
        ("platform", mostly(text())),
        ("app_version", mostly(text())),
        ("country", mostly(text())),
        ("else", value().boxed()),
    ])
}

/// A line of Mixpanel's export.
pub(super) fn export() -> impl Strategy<Value = String> {
    let properties = members(vec![
        ("time", time()),
        (
            "distinct_id",
            mostly(prop_oneof![Just("\"$device:canary\"".to_owned()), id()]),
        ),
        ("$user_id", id()),
        ("$device_id", id()),
        ("$insert_id", id()),
        ("$os", mostly(text())),
        ("$app_version_string", mostly(text())),
        ("mp_country_code", mostly(text())),
        ("mp_processing_time_ms", time()),
        ("screen", value().boxed()),
        ("else", value().boxed()),
    ]);
    members(vec![("event", mostly(text())), ("properties", mostly(properties))])
}

/// One without an id of its own, in which `"INTAKE"` stands for the time at which Mixpanel took it in.
pub(super) fn unbent_export() -> impl Strategy<Value = String> {
    let intake = || Just("\"INTAKE\"".to_owned()).boxed();
    let properties = members(vec![
        ("time", Just("1773144000".to_owned()).boxed()),
        ("$user_id", Just(UUID.to_owned()).boxed()),
        ("mp_processing_time_ms", intake()),
        ("$mp_api_timestamp_ms", intake()),
        ("screen", value().boxed()),
        ("else", value().boxed()),
    ]);
    properties.prop_map(|properties| format!(r#"{{"event":"tap","properties":{properties}}}"#))
}
