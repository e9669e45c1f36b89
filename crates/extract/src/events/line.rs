//! A line of NDJSON whose members are the columns of the table `behavior_events`.

use kindred_model::Instant;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::Cleaning;
use super::gathering::Told;
use super::properties::{Kept, Name, Properties};
use super::scalar::{Reason, Scalar};

/// Reads a line. An event that does not say when it arrived came with its file, at `arrived`; and so did one that says
/// it arrived more than a day after the file was written.
pub(super) fn event<'a>(line: &'a [u8], cleaning: &Cleaning, arrived: Instant) -> Result<Told<'a>, Reason> {
    let columns = read(line, Columns(cleaning))?;
    let key = |id: Option<std::borrow::Cow<'_, str>>| id.map(|id| cleaning.keys.of_id(&id));
    let received_at = columns.received_at.instant("received_at")?;
    Ok(Told {
        id: columns.event_id.id("event_id")?.ok_or("event_id is missing")?,
        user_key: key(columns.user_id.id("user_id")?),
        anonymous_key: key(columns.anonymous_id.id("anonymous_id")?),
        session_id: columns.session_id.id("session_id")?,
        name: columns.event_name.text("event_name")?.ok_or("event_name is missing")?,
        properties: columns.properties,
        event_time: columns
            .event_time
            .instant("event_time")?
            .ok_or("event_time is missing")?,
        received_at: received_at
            .filter(|at| (*at - arrived).num_hours() <= 24)
            .unwrap_or(arrived),
        platform: columns.platform.text("platform")?,
        app_version: columns.app_version.text("app_version")?,
        country: columns.country.text("country")?,
    })
}

/// Reads a line's JSON object into whatever `seed` makes of it.
///
/// # Errors
/// Where it is no JSON object, without quoting it: a parser's own words may.
pub(super) fn read<'a, S: DeserializeSeed<'a>>(line: &'a [u8], seed: S) -> Result<S::Value, Reason> {
    let text =
        std::str::from_utf8(line).map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = seed.deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| match error.classify() {
        Category::Data => "it is no JSON object".to_owned(),
        Category::Eof => format!("its JSON breaks off at byte {}", error.column()),
        Category::Syntax | Category::Io => {
            format!("it is no JSON, or nested too deeply, at byte {}", error.column())
        }
    })
}

#[derive(Default)]
struct Line<'a> {
    event_id: Scalar<'a>,
    user_id: Scalar<'a>,
    anonymous_id: Scalar<'a>,
    session_id: Scalar<'a>,
    event_name: Scalar<'a>,
    properties: Kept,
    event_time: Scalar<'a>,
    received_at: Scalar<'a>,
    platform: Scalar<'a>,
    app_version: Scalar<'a>,
    country: Scalar<'a>,
}

/// Reads the columns of a line: of two of one name the last counts, what is no column is skipped.
struct Columns<'c>(&'c Cleaning);

impl<'de> DeserializeSeed<'de> for Columns<'_> {
    type Value = Line<'de>;

    fn deserialize<D: Deserializer<'de>>(self, line: D) -> Result<Line<'de>, D::Error> {
        line.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Line<'de>, A::Error> {
        let mut line = Line::default();
        while let Some(Name(name)) = object.next_key()? {
            let column = match &*name {
                "event_id" => &mut line.event_id,
                "user_id" => &mut line.user_id,
                "anonymous_id" => &mut line.anonymous_id,
                "session_id" => &mut line.session_id,
                "event_name" => &mut line.event_name,
                "event_time" => &mut line.event_time,
                "received_at" => &mut line.received_at,
                "platform" => &mut line.platform,
                "app_version" => &mut line.app_version,
                "country" => &mut line.country,
                "properties" => {
                    line.properties = object.next_value_seed(Properties(self.0))?;
                    continue;
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *column = object.next_value()?;
        }
        Ok(line)
    }
}
