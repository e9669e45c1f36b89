//! Texts that mean something to SQL, JSON, CSV, a spreadsheet or a terminal: they come out as they went in, and mean nothing
//! on the way.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use kindred_api::{ApiState, control_router, kpi_router};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Files;
use crate::support::World;

/// Texts that somebody on the way might take for more than a text.
pub(super) const TEXTS: [&str; 30] = [
    "'; drop table user_behavior_events; --",
    "\" or \"\"=\"",
    "') union select password_hash from users --",
    "$1",
    "$from",
    "$$",
    "\\",
    "\\'",
    "%s%n%x",
    "%27",
    "{0}",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@sum(a1)",
    "a,b",
    "a\"b",
    "line\nbreak",
    "return\r",
    "\ttab",
    "\u{1b}[2Jescape",
    "\u{7f}",
    "\u{202e}evil",
    "\u{feff}mark",
    "é😀\u{301}",
    "null",
    "all",
    "unknown",
    "../../etc/passwd",
    "<script>alert(1)</script>",
];

/// What a server answers to a GET.
pub(super) async fn get(router: &Router, address: &str, accept: &str) -> (StatusCode, String) {
    let request = Request::get(address)
        .header("accept", accept)
        .body(Body::empty())
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn json_of(router: &Router, address: &str) -> Value {
    let (status, body) = get(router, address, "application/json").await;
    assert_eq!(status, StatusCode::OK, "{address}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Both servers on the warehouse of a world.
pub(super) fn servers(world: &World) -> (Router, Router) {
    let state = ApiState::new(world.platform.warehouse.clone(), world.platform.clock.clone());
    (kpi_router(state.clone()), control_router(state))
}

pub(super) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A text as a cell of CSV: quoted when it must be, and no formula.
fn cell(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// The texts of a column of a list in an answer.
fn column(answer: &Value, list: &str, name: &str) -> BTreeSet<String> {
    let items = answer[list].as_array().unwrap().iter();
    items.map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_out_of_every_answer_with_the_texts_that_they_went_in_with() {
    let files = Files::none().await;
    let lines = TEXTS.map(|text| {
        json!({
            "event_id": format!("id {text}"), "event_name": text, "anonymous_id": "a device, no uuid", "session_id": text,
            "platform": text, "app_version": text, "country": text, "properties": { "screen": text },
            "event_time": "2026-03-15T09:10:00Z", "received_at": "2026-03-15T09:20:00Z",
        })
        .to_string()
    });
    let run = files.arrive("1.ndjson", &lines).await;
    assert_eq!(
        (super::noted(&run, "rejected"), super::noted(&run, "taken")),
        (0, TEXTS.len() as u64)
    );

    let stored: Vec<[String; 6]> = {
        let sql =
            "select array[event_id, event_name, session_id, app_version, location_country, event_properties->>'screen']
            from user_behavior_events";
        let rows: Vec<(Vec<String>,)> = sqlx::query_as(sql)
            .fetch_all(files.world.warehouse.pool())
            .await
            .unwrap();
        rows.into_iter().map(|(row,)| row.try_into().unwrap()).collect()
    };
    let expected: BTreeSet<_> = TEXTS
        .map(|text| [&format!("id {text}"), text, text, text, text, text].map(str::to_owned))
        .into();
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), expected);

    let (kpi, _) = servers(&files.world);
    let all = json_of(&kpi, "/kpis/user-behavior?timeframe=24h").await;
    assert_eq!(all["overview"]["totalEvents"], TEXTS.len());
    assert_eq!(
        column(&all, "eventBreakdown", "eventName"),
        TEXTS.map(str::to_owned).into()
    );
    let platforms = TEXTS.map(|text| text.trim().to_lowercase());
    assert_eq!(column(&all, "platformBreakdown", "platform"), platforms.into());
    for text in TEXTS {
        let one = json_of(
            &kpi,
            &format!("/kpis/user-behavior?timeframe=24h&eventType={}", encoded(text)),
        )
        .await;
        assert_eq!(
            (&one["overview"]["totalEvents"], &one["overview"]["topEventType"]),
            (&json!(1), &json!(text))
        );
    }
    let (_, csv) = get(&kpi, "/kpis/user-behavior?timeframe=24h", "text/csv").await;
    for text in TEXTS {
        assert!(
            csv.contains(&format!("\n{},1", cell(text))),
            "{text:?} is missing in {csv}"
        );
    }
    assert!(
        !csv.contains("\n=") && !csv.contains("\n@") && !csv.contains("\n+"),
        "{csv}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_kept_as_they_are_or_counted_as_dropped_and_never_stop_a_run() {
    let files = Files::none().await;
    let long = "x".repeat(900_000);
    let many = (0..10_000)
        .map(|n| format!(r#""k{n}":{n}"#))
        .collect::<Vec<_>>()
        .join(",");
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    // What a line says of `screen`, and what the warehouse holds of it: as jsonb writes it, or nothing.
    let properties: BTreeMap<&str, (String, Option<String>)> = [
        ("long", format!("\"{long}\""), Some(format!("\"{long}\""))),
        ("many", format!("{{{many}}}"), None),
        ("deep", deep.clone(), Some(deep)),
        ("huge", "1e300".to_owned(), Some(format!("1{}", "0".repeat(300)))),
        ("tiny", "-1e-300".to_owned(), Some(format!("-0.{}1", "0".repeat(299)))),
        (
            "whole",
            "18446744073709551615".to_owned(),
            Some("18446744073709551615".to_owned()),
        ),
        ("twice", r#""a","screen":"b""#.to_owned(), Some(r#""b""#.to_owned())),
        (
            "names",
            r#"{"'; drop table x; --\n\"":"'"}"#.to_owned(),
            Some(r#"{"'; drop table x; --\n\"": "'"}"#.to_owned()),
        ),
        ("pair", r#""\ud83d\ude00""#.to_owned(), Some("\"😀\"".to_owned())),
        (
            "escape",
            r#""\u001b\u202e""#.to_owned(),
            Some("\"\\u001b\u{202e}\"".to_owned()),
        ),
    ]
    .map(|(id, told, held)| (id, (told, held)))
    .into();
    let line = |id: &str, properties: &str| {
        format!(
            r#"{{"event_id":"{id}","event_name":"tap","anonymous_id":"d","properties":{{{properties}}},
                "event_time":"2026-03-15T09:10:00Z","received_at":"2026-03-15T09:20:00Z"}}"#
        )
        .replace('\n', "")
    };
    let mut lines: Vec<_> = properties
        .iter()
        .map(|(id, (told, _))| line(id, &format!(r#""screen":{told}"#)))
        .collect();
    // Dropped and counted: what no jsonb holds, and what is not on the list.
    lines.push(line("nul", r#""screen":"a\u0000b","plan":"vip""#));
    lines.push(line("odd", &format!(r#"{many},"plan":"vip""#)));
    // Set aside: what is no JSON text, a line of more than a MiB, nesting that no reader follows.
    lines.push(line("lone", r#""screen":"\ud800""#));
    lines.push(line("beyond", r#""screen":1e400"#));
    lines.push(line("too long", &format!(r#""screen":"{long}{long}""#)));
    lines.push(line(
        "too deep",
        &format!(r#""screen":{}1{}"#, "[".repeat(200), "]".repeat(200)),
    ));

    let run = files.arrive("1.ndjson", &lines).await;
    assert_eq!(super::noted(&run, "taken"), properties.len() as u64 + 2);
    assert_eq!(super::noted(&run, "rejected"), 4);
    assert_eq!(super::noted(&run, "droppedProperties"), 1 + 10_000);

    let world = &files.world;
    let held = async |id: &str, what: &str| {
        world
            .ask(&format!(
                "select {what} from user_behavior_events where event_id = '{id}'"
            ))
            .await
    };
    for (id, (_, expected)) in &properties {
        if let Some(expected) = expected {
            let found = held(id, "(event_properties->'screen')::text").await.unwrap();
            assert!(found == *expected, "{id}: {found:.200} instead of {expected:.200}");
        }
    }
    let keys = "(select count(*)::text from jsonb_object_keys(event_properties->'screen'))";
    assert_eq!(held("many", keys).await.as_deref(), Some("10000"));
    for id in ["nul", "odd"] {
        assert_eq!(
            held(id, "event_properties::text").await.as_deref(),
            Some(r#"{"plan": "vip"}"#)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_or_path_of_either_server_is_more_than_a_text() {
    let files = Files::none().await;
    let (kpi, control) = servers(&files.world);
    let tables = "select string_agg(relname, ' ' order by relname) from pg_class where relkind in ('r', 'p')";
    let before = files.world.ask(tables).await;
    for text in TEXTS.iter().chain(&["\0", "*", ""]) {
        let text = encoded(text);
        for (router, address, expected) in [
            (&kpi, format!("/kpis/user-behavior?eventType={text}"), &[200, 400][..]),
            (&kpi, format!("/kpis/user-behavior?timeframe={text}"), &[400]),
            (&kpi, format!("/kpis/funnel?funnel={text}"), &[200, 400, 404]),
            (
                &kpi,
                format!("/kpis/active-users?granularity=daily&breakdown={text}"),
                &[400],
            ),
            (&kpi, format!("/kpis/revenue?from={text}&to={text}"), &[400]),
            (&kpi, format!("/kpis/sessions?{text}={text}"), &[400]),
            (&kpi, format!("/kpis/{text}"), &[404]),
            (&control, format!("/alerts?table={text}"), &[200, 400]),
            (&control, format!("/alerts?severity={text}"), &[400]),
            (&control, format!("/runs?cursor={text}"), &[400]),
            (&control, format!("/runs?job={text}"), &[400]),
            (&control, format!("/runs/{text}"), &[400, 404]),
            (&control, format!("/jobs/{text}"), &[400, 404, 405]),
        ] {
            let (status, body) = get(router, &address, "application/json").await;
            assert!(expected.contains(&status.as_u16()), "{address}: {status} {body}");
        }
    }
    assert_eq!(files.world.ask(tables).await, before, "tables came or went");
}
