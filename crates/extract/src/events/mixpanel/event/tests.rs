use super::*;
use crate::UserKeys;
use crate::events::PropertyList;

fn cleaning() -> Cleaning {
    Cleaning {
        keys: UserKeys::new("correct horse battery staple").unwrap(),
        properties: PropertyList::default(),
        batch_rows: 1,
    }
}

fn now() -> Instant {
    "2026-03-10T14:00:00Z".parse().unwrap()
}

/// An event named `app_open` at 2026-03-10T12:00:00Z, with more properties.
fn told(properties: &str) -> Told<'static> {
    let line = format!(r#"{{"event":"app_open","properties":{{"time":1773144000,{properties}}}}}"#);
    read(line.leak().as_bytes(), &cleaning(), now()).unwrap()
}

fn key(id: &str) -> Option<i64> {
    Some(cleaning().keys.of_id(id))
}

#[test]
fn every_column_comes_from_the_property_that_the_contract_names() {
    let told = told(
        r#""distinct_id":"u1","$user_id":"u2","$device_id":"d1","$insert_id":"e1","$os":"iOS","mp_country_code":"FR",
           "$app_version_string":"4.1.0","mp_processing_time_ms":1773144005250,"screen":"home","$email":"a@b.c""#,
    );
    assert_eq!((told.id.as_ref(), told.name.as_ref()), ("e1", "app_open"));
    assert_eq!((told.user_key, told.anonymous_key), (key("u2"), key("d1")));
    assert_eq!(told.event_time.to_rfc3339(), "2026-03-10T12:00:00+00:00");
    assert_eq!(told.received_at.to_rfc3339(), "2026-03-10T12:00:05.250+00:00");
    assert_eq!(told.platform.as_deref(), Some("ios"));
    assert_eq!(
        (told.app_version.as_deref(), told.country.as_deref()),
        (Some("4.1.0"), Some("FR"))
    );
    assert_eq!(
        (told.properties.json().as_str(), told.properties.dropped),
        (r#"{"screen":"home"}"#, 1)
    );
    assert_eq!(told.session_id, None);
}

#[test]
fn the_user_is_the_user_id_else_a_distinct_id_that_is_no_devices() {
    for (properties, user, anonymous) in [
        (r#""distinct_id":"u1""#, key("u1"), None),
        (r#""distinct_id":42"#, key("42"), None),
        (r#""distinct_id":"u1","$user_id":"u2""#, key("u2"), None),
        (r#""distinct_id":"u1","$user_id":"""#, key("u1"), None),
        (r#""distinct_id":"$device:d1","$device_id":"d2""#, None, key("d2")),
        (r#""distinct_id":"$device:d1""#, None, key("d1")),
        (
            r#""distinct_id":"$device:d1","$user_id":"u1","$device_id":"d1""#,
            key("u1"),
            key("d1"),
        ),
        (r#""distinct_id":"","$device_id":null"#, None, None),
    ] {
        let told = told(properties);
        assert_eq!((told.user_key, told.anonymous_key), (user, anonymous), "{properties}");
    }
}

#[test]
fn ios_and_android_are_platforms_any_other_system_is_the_web_and_none_is_none() {
    for (os, platform) in [
        (r#""iOS""#, Some("ios")),
        (r#""Android""#, Some("android")),
        (r#""Windows""#, Some("web")),
        (r#""Mac OS X""#, Some("web")),
        ("null", None),
    ] {
        assert_eq!(told(&format!(r#""$os":{os}"#)).platform.as_deref(), platform, "{os}");
    }
    assert_eq!(told(r#""x":1"#).platform, None);
}

#[test]
fn without_an_insert_id_equal_events_have_equal_ids_whenever_they_were_taken_in() {
    let id = |properties: &str| told(properties).id.into_owned();
    let first = id(r#""distinct_id":"u1","a":1,"b":2,"mp_processing_time_ms":1"#);
    assert_eq!(
        id(r#""b":2,"a":1,"distinct_id":"u1","mp_processing_time_ms":2,"$insert_id":"""#),
        {
            let blank = r#""distinct_id":"u1","a":1,"b":2,"mp_processing_time_ms":1,"$insert_id":"""#;
            id(blank)
        }
    );
    assert_eq!(first, id(r#""b":2,"distinct_id":"u1","a":1,"mp_processing_time_ms":2"#));
    assert_ne!(first, id(r#""distinct_id":"u2","a":1,"b":2,"mp_processing_time_ms":1"#));
    assert_ne!(first, id(r#""distinct_id":"u1","a":1,"b":3,"mp_processing_time_ms":1"#));
    assert_eq!(first.len(), 64);
}

#[test]
fn an_event_that_does_not_say_when_it_arrived_came_when_it_happened_but_not_later_than_now() {
    assert_eq!(
        told(r#""distinct_id":"u1""#).received_at.to_rfc3339(),
        "2026-03-10T12:00:00+00:00"
    );
    let ahead = br#"{"event":"a","properties":{"distinct_id":"u1","time":1773316800}}"#;
    assert_eq!(read(ahead, &cleaning(), now()).unwrap().received_at, now());
}

#[test]
fn what_is_no_event_is_refused_in_words_that_do_not_quote_it() {
    for (line, reason) in [
        (r#"{"event":"a"}"#, "properties is missing"),
        (r#"{"event":"a","properties":"secret"}"#, "it is no JSON object"),
        (r#"{"event":"a","properties":{"distinct_id":"u"}}"#, "time is missing"),
        (r#"{"event":"a","properties":{"time":"secret"}}"#, "time is no instant"),
        (r#"{"event":null,"properties":{"time":1773144000}}"#, "event is missing"),
        (r#"{"error":"secret"}"#, "properties is missing"),
        (r#""secret""#, "it is no JSON object"),
        (
            r#"{"event":"a","properties":{"time":17731"#,
            "its JSON breaks off at byte 39",
        ),
    ] {
        assert_eq!(read(line.as_bytes(), &cleaning(), now()).unwrap_err(), reason, "{line}");
    }
}
