//! `FUNNELS_FILE`: funnels in TOML. `data/funnels.example.toml` shows all that can be said.

use serde::Deserialize;
use toml::{Table, Value};

use super::{FunnelEntry, FunnelFact, FunnelKind, FunnelOrder, FunnelSpec, FunnelStep, ONBOARDING};

/// How many steps a funnel may have: as many as the function `funnel` takes.
const STEPS: std::ops::RangeInclusive<usize> = 2..=32;

/// How long a window may be, in days.
const WINDOW_DAYS: std::ops::RangeInclusive<u32> = 1..=366;

/// The most letters of a name.
const LONGEST_NAME: usize = 63;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunnelTable {
    name: String,
    window_days: u32,
    #[serde(default)]
    entry: FunnelEntry,
    #[serde(default)]
    order: FunnelOrder,
    #[serde(default)]
    step: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    name: String,
    event: Option<String>,
    fact: Option<FunnelFact>,
    any_of: Option<Vec<KindTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindTable {
    event: Option<String>,
    fact: Option<FunnelFact>,
}

/// Reads the funnels of a file.
///
/// # Errors
/// With every mistake of the file, each saying where it is. One of TOML itself hides those behind it.
pub fn parse(text: &str) -> Result<Vec<FunnelSpec>, Vec<String>> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| vec![error.to_string()])?;
    let mut mistakes = Vec::new();
    let mut funnels = Vec::new();
    match table.remove("funnel") {
        Some(Value::Array(tables)) => {
            for (number, value) in (1..).zip(tables) {
                let named = value.get("name").and_then(Value::as_str);
                let at = named.map_or_else(|| format!("funnel {number}"), |name| format!("funnel `{name}`"));
                match value.try_into() {
                    Ok(table) => funnels.push(funnel(&at, table, &mut mistakes)),
                    Err(error) => mistakes.push(format!("{at}: {}", one_line(&error))),
                }
            }
        }
        _ => mistakes.push("there is no [[funnel]]".to_owned()),
    }
    mistakes.extend(
        table
            .keys()
            .map(|key| format!("`{key}` is not known; a funnel begins with [[funnel]]")),
    );
    let names = funnels.iter().map(|funnel| funnel.name.as_str());
    mistakes.extend(repeated(names).map(|name| format!("funnel `{name}` is declared twice")));
    if mistakes.is_empty() {
        Ok(funnels)
    } else {
        Err(mistakes)
    }
}

fn funnel(at: &str, table: FunnelTable, mistakes: &mut Vec<String>) -> FunnelSpec {
    if table.name == ONBOARDING {
        mistakes.push(format!("{at}: the name is that of the funnel which is always there"));
    }
    if !is_name(&table.name) {
        mistakes.push(format!("{at}: the name {NOT_A_NAME}"));
    }
    if !WINDOW_DAYS.contains(&table.window_days) {
        let (least, most) = (WINDOW_DAYS.start(), WINDOW_DAYS.end());
        mistakes.push(format!(
            "{at}: window_days is {}; it must be from {least} to {most}",
            table.window_days
        ));
    }
    if !STEPS.contains(&table.step.len()) {
        let (least, most) = (STEPS.start(), STEPS.end());
        mistakes.push(format!(
            "{at}: has {} steps; there must be {least} to {most}",
            table.step.len()
        ));
    }
    let mut steps = Vec::new();
    for (number, value) in (1..).zip(table.step) {
        match value.try_into() {
            Ok(table) => steps.push(step(&format!("{at}, step {number}"), table, mistakes)),
            Err(error) => mistakes.push(format!("{at}, step {number}: {}", one_line(&error))),
        }
    }
    let names = steps.iter().map(|step| step.name.as_str());
    mistakes.extend(repeated(names).map(|name| format!("{at}: has two steps `{name}`")));
    FunnelSpec {
        name: table.name,
        steps,
        window_days: table.window_days,
        entry: table.entry,
        order: table.order,
    }
}

fn step(at: &str, table: StepTable, mistakes: &mut Vec<String>) -> FunnelStep {
    if !is_name(&table.name) {
        mistakes.push(format!("{at}: the name `{}` {NOT_A_NAME}", table.name));
    }
    let kinds = match (table.any_of, table.event, table.fact) {
        (None, event, fact) => vec![KindTable { event, fact }],
        (Some(kinds), None, None) => {
            if kinds.is_empty() {
                mistakes.push(format!("{at}: any_of holds nothing"));
            }
            kinds
        }
        (Some(_), ..) => {
            mistakes.push(format!("{at}: any_of stands alone, with event or fact inside it"));
            Vec::new()
        }
    };
    let mut read = Vec::new();
    for kind in kinds {
        match (kind.event, kind.fact) {
            (Some(event), None) if !event.is_empty() => read.push(FunnelKind::Event(event)),
            (None, Some(fact)) => read.push(FunnelKind::Fact(fact)),
            _ => mistakes.push(format!("{at}: say one of event = \"…\", fact = \"…\" and any_of = […]")),
        }
    }
    FunnelStep {
        name: table.name,
        kinds: read,
    }
}

const NOT_A_NAME: &str = "must be of a-z, 0-9 and _, a letter first, 63 at most";

fn is_name(name: &str) -> bool {
    let known = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= LONGEST_NAME && name.bytes().all(known)
}

/// The names that stand in the list a second time.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.filter(move |name| !seen.insert(*name))
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}
