//! Which of an event's properties are kept, and in which form.
//!
//! They are read straight from the JSON: what is not kept is skipped, and never held. What is kept is written with sorted
//! keys, so that equal properties are equal texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Cleaning;
use crate::UserKeys;

/// What the platform's own app reports, and those of Mixpanel's properties that say nothing about where a person is.
const DEFAULT: [&str; 30] = [
    "$browser",
    "$browser_version",
    "$lib_version",
    "$manufacturer",
    "$model",
    "$os_version",
    "$screen_height",
    "$screen_width",
    "action",
    "button",
    "conversation_id",
    "currency",
    "distance_km",
    "feature",
    "kind",
    "max_age",
    "method",
    "min_age",
    "mp_lib",
    "plan",
    "price",
    "screen",
    "source",
    "super_like",
    "trial",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
];

/// Properties of this ending hold the id of a user, which no source lets out: they leave as user keys.
pub const USER_ID_ENDING: &str = "user_id";

/// The names of the properties that are kept. Those ending in `user_id` are, too, as user keys, whether listed or not.
#[derive(Debug, Clone)]
pub struct PropertyList(Arc<BTreeSet<String>>);

impl PropertyList {
    /// The list that `EVENT_PROPERTIES` holds.
    pub fn new<Name: Into<String>>(names: impl IntoIterator<Item = Name>) -> Self {
        Self(Arc::new(names.into_iter().map(Into::into).collect()))
    }

    fn keeps(&self, name: &str) -> bool {
        name.ends_with(USER_ID_ENDING) || self.0.contains(name)
    }
}

/// What the platform's own app reports, and Mixpanel's standard properties that name no place.
impl Default for PropertyList {
    fn default() -> Self {
        Self::new(DEFAULT)
    }
}

/// The properties of one event that are kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    values: Map<String, Value>,
    /// How many were not.
    pub(super) dropped: u64,
}

impl Kept {
    /// As the text of a JSON object.
    pub(super) fn json(&self) -> String {
        // A map without insertion order writes its keys sorted; a test holds it to that.
        serde_json::to_string(&self.values).expect("texts as keys can always be written")
    }

    /// Takes the value of a property from the object that is being read, or skips it.
    pub(super) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        cleaning: &Cleaning,
        name: &str,
        object: &mut A,
    ) -> Result<(), A::Error> {
        let value = if cleaning.properties.keeps(name) {
            cleaned(&cleaning.keys, name, object.next_value()?)
        } else {
            object.next_value::<IgnoredAny>()?;
            None
        };
        match value {
            // Of two of one name the last counts, as in PostgreSQL's jsonb.
            Some(value) => {
                self.values.insert(name.to_owned(), value);
            }
            None => self.dropped += 1,
        }
        Ok(())
    }
}

/// The name of a member of an object, borrowed where it holds no escapes.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) std::borrow::Cow<'a, str>);

/// Reads the properties of an event. Anything but an object is no properties, and one that was dropped.
pub(super) struct Properties<'c>(pub(super) &'c Cleaning);

impl<'de> DeserializeSeed<'de> for Properties<'_> {
    type Value = Kept;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Kept, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_> {
    type Value = Kept;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Kept, A::Error> {
        let mut kept = Kept::default();
        while let Some(Name(name)) = object.next_key()? {
            kept.take(self.0, &name, &mut object)?;
        }
        Ok(kept)
    }

    fn visit_unit<E: Error>(self) -> Result<Kept, E> {
        Ok(Kept::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kept, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(no_object())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Kept, E> {
        Ok(no_object())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Kept, E> {
        Ok(no_object())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Kept, E> {
        Ok(no_object())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Kept, E> {
        Ok(no_object())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Kept, E> {
        Ok(no_object())
    }
}

fn no_object() -> Kept {
    Kept {
        dropped: 1,
        ..Kept::default()
    }
}

/// A value as it is kept; none when it cannot be: PostgreSQL stores no NUL, and a user id is a text or a number.
fn cleaned(keys: &UserKeys, name: &str, value: Value) -> Option<Value> {
    if name.contains('\0') {
        return None;
    }
    if name.ends_with(USER_ID_ENDING) {
        return user_key(keys, value);
    }
    match value {
        Value::String(text) => (!text.contains('\0')).then_some(Value::String(text)),
        Value::Array(values) => {
            let values = values.into_iter().map(|value| cleaned(keys, name, value));
            values.collect::<Option<_>>().map(Value::Array)
        }
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| cleaned(keys, &name, value).map(|value| (name, value)));
            members.collect::<Option<_>>().map(Value::Object)
        }
        other => Some(other),
    }
}

/// The user keys of an id, or of a list of them.
fn user_key(keys: &UserKeys, id: Value) -> Option<Value> {
    match id {
        Value::String(id) if id.trim().is_empty() => Some(Value::Null),
        Value::String(id) => Some(keys.of_id(&id).into()),
        // One that has become a fraction has lost the digits that tell it from the next.
        Value::Number(id) if id.is_f64() => None,
        Value::Number(id) => Some(keys.of_id(&id.to_string()).into()),
        Value::Null => Some(Value::Null),
        Value::Array(ids) => {
            let ids = ids.into_iter().map(|id| user_key(keys, id));
            ids.collect::<Option<_>>().map(Value::Array)
        }
        Value::Bool(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaning() -> Cleaning {
        Cleaning {
            keys: UserKeys::new("correct horse battery staple").unwrap(),
            properties: PropertyList::new(["screen", "plan", "list"]),
            batch_rows: 1,
        }
    }

    fn kept(json: &str) -> Kept {
        let mut reader = serde_json::Deserializer::from_str(json);
        Properties(&cleaning()).deserialize(&mut reader).unwrap()
    }

    #[test]
    fn listed_properties_are_kept_with_sorted_keys_and_the_others_are_counted() {
        let kept = kept(r#"{"screen":"home","email":"a@b.c","plan":{"z":1,"a":[true,null]},"bio":{"x":[1,2]}}"#);
        assert_eq!(kept.json(), r#"{"plan":{"a":[true,null],"z":1},"screen":"home"}"#);
        assert_eq!(kept.dropped, 2);
    }

    #[test]
    fn user_ids_leave_as_user_keys_wherever_they_stand() {
        let id = "6f1c0d3a-8d5e-4f0b-9a55-2b7c1e9f3d42";
        let key = "-8723311949586557094";
        let told = format!(
            r#"{{"target_user_id":"{id}","user_id":" ","peer_user_id":["{id}",null],"plan":{{"by_user_id":"{id}"}}}}"#
        );
        let kept = kept(&told);
        assert_eq!(
            kept.json(),
            format!(
                r#"{{"peer_user_id":[{key},null],"plan":{{"by_user_id":{key}}},"target_user_id":{key},"user_id":null}}"#
            )
        );
    }

    #[test]
    fn an_object_in_place_of_a_user_id_and_a_nul_in_place_of_a_text_are_dropped() {
        let kept = kept(r#"{"user_id":{"id":"u"},"screen":"a\u0000b","list":["ok","\u0000"],"plan":"vip"}"#);
        assert_eq!((kept.json().as_str(), kept.dropped), (r#"{"plan":"vip"}"#, 3));
    }

    #[test]
    fn a_user_id_that_has_lost_its_digits_is_dropped_and_not_taken_for_another() {
        for id in ["18446744073709551616", "1e3", "-1e400", "4.5"] {
            let json = format!(r#"{{"user_id":{id},"plan":"vip"}}"#);
            let mut reader = serde_json::Deserializer::from_str(&json);
            match Properties(&cleaning()).deserialize(&mut reader) {
                Ok(kept) => assert_eq!((kept.json().as_str(), kept.dropped), (r#"{"plan":"vip"}"#, 1), "{id}"),
                // Beyond what a fraction holds it is no JSON to the reader, and the line is set aside.
                Err(error) => assert!(error.to_string().contains("out of range"), "{id}: {error}"),
            }
        }
        assert_ne!(kept(r#"{"user_id":18446744073709551615}"#).json(), r#"{}"#);
    }

    #[test]
    fn of_two_properties_of_one_name_the_last_counts() {
        assert_eq!(kept(r#"{"plan":"a","plan":"b"}"#).json(), r#"{"plan":"b"}"#);
    }

    #[test]
    fn no_object_is_no_properties() {
        for (json, dropped) in [
            ("null", 0),
            ("{}", 0),
            ("[1,{}]", 1),
            (r#""{}""#, 1),
            ("-7", 1),
            ("1.5", 1),
        ] {
            let kept = kept(json);
            assert_eq!((kept.json().as_str(), kept.dropped), ("{}", dropped), "{json}");
        }
    }

    #[test]
    fn ten_thousand_properties_of_which_none_is_listed_are_counted_and_not_held() {
        let many: Vec<_> = (0..10_000).map(|n| format!(r#""k{n}":"\ud800""#)).collect();
        let kept = kept(&format!("{{{}}}", many.join(",")));
        assert_eq!((kept.json().as_str(), kept.dropped), ("{}", 10_000));
    }
}
