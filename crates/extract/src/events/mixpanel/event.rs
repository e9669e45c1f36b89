//! A line of Mixpanel's export as an event of ours: `{"event": NAME, "properties": {…}}`.
//!
//! Who, when and on what stands among the properties, under names of Mixpanel's; the other properties are the event's.

use kindred_model::Instant;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::events::gathering::Told;
use crate::events::properties::{Kept, Name};
use crate::events::scalar::{Reason, Scalar};
use crate::events::{Cleaning, line};

/// What a `distinct_id` begins with that is a device's.
const DEVICE: &str = "$device:";

/// When Mixpanel took an event in: two uploads of one event differ in these alone.
const INTAKE: [&str; 2] = ["mp_processing_time_ms", "$mp_api_timestamp_ms"];

/// Reads a line. An event that does not say when Mixpanel took it in arrived when it happened, and by `now`.
pub(in crate::events) fn read<'a>(bytes: &'a [u8], cleaning: &Cleaning, now: Instant) -> Result<Told<'a>, Reason> {
    let export = line::read(bytes, Export(cleaning))?;
    let properties = export.properties.ok_or("properties is missing")?;
    let event_time = properties.time.instant("time")?.ok_or("time is missing")?;
    let distinct = properties.distinct_id.id("distinct_id")?;
    let (device, distinct) = match &distinct {
        Some(id) => id
            .strip_prefix(DEVICE)
            .map_or((None, Some(&**id)), |device| (Some(device), None)),
        None => (None, None),
    };
    let user = properties.user_id.id("$user_id")?;
    let anonymous = properties.device_id.id("$device_id")?;
    let key = |id: &str| cleaning.keys.of_id(id);
    Ok(Told {
        id: match properties.insert_id.id("$insert_id")? {
            Some(id) => id,
            None => fingerprint(bytes, cleaning)?.into(),
        },
        user_key: user.as_deref().or(distinct).map(key),
        anonymous_key: anonymous.as_deref().or(device).map(key),
        session_id: None,
        name: export.event.text("event")?.ok_or("event is missing")?,
        received_at: properties
            .processed_at
            .instant("mp_processing_time_ms")?
            .unwrap_or(event_time.min(now)),
        event_time,
        properties: properties.others,
        platform: properties.os.text("$os")?.map(|os| platform(&os).into()),
        app_version: properties.app_version.text("$app_version_string")?,
        country: properties.country.text("mp_country_code")?,
    })
}

/// The app runs on two systems; whoever comes from another uses the web.
fn platform(os: &str) -> &'static str {
    match os.trim().to_ascii_lowercase().as_str() {
        "ios" => "ios",
        "android" => "android",
        _ => "web",
    }
}

/// What stands in for the id of an event without one: a hash of its person, name, time and properties, those that are
/// not kept included, so that another allow-list does not give it another id. Keyed, since it is stored.
fn fingerprint(line: &[u8], cleaning: &Cleaning) -> Result<String, Reason> {
    let mut event: Value = serde_json::from_slice(line).map_err(|_| "a property of it is no JSON")?;
    if let Some(Value::Object(properties)) = event.get_mut("properties") {
        for name in INTAKE {
            properties.remove(name);
        }
    }
    event.sort_all_objects();
    Ok(cleaning.keys.fingerprint(event.to_string().as_bytes()))
}

#[derive(Default)]
struct Exported<'a> {
    event: Scalar<'a>,
    properties: Option<ExportedProperties<'a>>,
}

#[derive(Default)]
struct ExportedProperties<'a> {
    time: Scalar<'a>,
    distinct_id: Scalar<'a>,
    user_id: Scalar<'a>,
    device_id: Scalar<'a>,
    insert_id: Scalar<'a>,
    os: Scalar<'a>,
    app_version: Scalar<'a>,
    country: Scalar<'a>,
    processed_at: Scalar<'a>,
    others: Kept,
}

/// Reads a line.
struct Export<'c>(&'c Cleaning);

impl<'de> DeserializeSeed<'de> for Export<'_> {
    type Value = Exported<'de>;

    fn deserialize<D: Deserializer<'de>>(self, line: D) -> Result<Exported<'de>, D::Error> {
        line.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Export<'_> {
    type Value = Exported<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Exported<'de>, A::Error> {
        let mut exported = Exported::default();
        while let Some(Name(name)) = object.next_key::<Name<'de>>()? {
            match &*name {
                "event" => exported.event = object.next_value()?,
                "properties" => exported.properties = Some(object.next_value_seed(ExportProperties(self.0))?),
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(exported)
    }
}

/// Reads the properties of a line.
struct ExportProperties<'c>(&'c Cleaning);

impl<'de> DeserializeSeed<'de> for ExportProperties<'_> {
    type Value = ExportedProperties<'de>;

    fn deserialize<D: Deserializer<'de>>(self, properties: D) -> Result<ExportedProperties<'de>, D::Error> {
        properties.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ExportProperties<'_> {
    type Value = ExportedProperties<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<ExportedProperties<'de>, A::Error> {
        let mut read = ExportedProperties::default();
        while let Some(Name(name)) = object.next_key::<Name<'de>>()? {
            let known: &mut Scalar<'de> = match &*name {
                "time" => &mut read.time,
                "distinct_id" => &mut read.distinct_id,
                "$user_id" => &mut read.user_id,
                "$device_id" => &mut read.device_id,
                "$insert_id" => &mut read.insert_id,
                "$os" => &mut read.os,
                "$app_version_string" => &mut read.app_version,
                "mp_country_code" => &mut read.country,
                "mp_processing_time_ms" => &mut read.processed_at,
                name => {
                    read.others.take(self.0, name, &mut object)?;
                    continue;
                }
            };
            *known = object.next_value()?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
