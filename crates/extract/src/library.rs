//! The extraction queries: those inside the binary, and those that an operator puts in their place.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use kindred_model::{Fact, Source};

use crate::ExtractError;

/// The queries that read one fact, in the source's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactQueries {
    /// `<fact>.sql`: the rows of the window `[$from, $to)`.
    pub rows: String,
    /// `<fact>.changed.sql`: one column, the UTC dates with rows changed since `$since`; none for a fact whose source
    /// table keeps no `updated_at`.
    pub changed: Option<String>,
}

macro_rules! embedded {
    ($file:literal) => {
        include_str!(concat!("../../../queries/extract/", $file)).to_owned()
    };
}

/// The queries of a source's facts that the binary carries.
#[must_use]
pub fn embedded_queries(source: Source) -> BTreeMap<Fact, FactQueries> {
    facts(source).map(|fact| (fact, embedded(fact))).collect()
}

/// The queries of a source's facts with the files of a folder in their place: `<dir>/extract/<source>/<fact>.sql` and
/// `<fact>.changed.sql`. A file that is not there leaves the embedded one.
///
/// # Errors
/// [`ExtractError::QueryFile`] when a file is there and cannot be read as text.
pub fn queries_from(dir: &Path, source: Source) -> Result<BTreeMap<Fact, FactQueries>, ExtractError> {
    let folder = dir.join("extract").join(source.as_str());
    let mut queries = embedded_queries(source);
    for (fact, embedded) in &mut queries {
        if let Some(rows) = read_if_there(&folder.join(format!("{fact}.sql")))? {
            embedded.rows = rows;
        }
        if let Some(changed) = read_if_there(&folder.join(format!("{fact}.changed.sql")))? {
            embedded.changed = Some(changed);
        }
    }
    Ok(queries)
}

/// Where a fact's query stands in the repository, and below `QUERIES_DIR`.
pub(crate) fn rows_file(fact: Fact) -> String {
    format!("queries/extract/{}/{fact}.sql", fact.source())
}

pub(crate) fn changed_file(fact: Fact) -> String {
    format!("queries/extract/{}/{fact}.changed.sql", fact.source())
}

fn facts(source: Source) -> impl Iterator<Item = Fact> {
    Fact::ALL.iter().copied().filter(move |fact| fact.source() == source)
}

fn read_if_there(path: &Path) -> Result<Option<String>, ExtractError> {
    match std::fs::read_to_string(path) {
        Ok(sql) => Ok(Some(sql)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(ExtractError::QueryFile {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn embedded(fact: Fact) -> FactQueries {
    let (rows, changed) = match fact {
        Fact::Users => (embedded!("users/users.sql"), Some(embedded!("users/users.changed.sql"))),
        Fact::UserSessions => (
            embedded!("users/user_sessions.sql"),
            Some(embedded!("users/user_sessions.changed.sql")),
        ),
        Fact::Subscriptions => (
            embedded!("users/subscriptions.sql"),
            Some(embedded!("users/subscriptions.changed.sql")),
        ),
        Fact::Payments => (
            embedded!("users/payments.sql"),
            Some(embedded!("users/payments.changed.sql")),
        ),
        Fact::Swipes => (embedded!("interactions/swipes.sql"), None),
        Fact::Matches => (embedded!("interactions/matches.sql"), None),
        Fact::Interactions => (
            embedded!("interactions/interactions.sql"),
            Some(embedded!("interactions/interactions.changed.sql")),
        ),
        Fact::MatchingQueue => (
            embedded!("interactions/matching_queue.sql"),
            Some(embedded!("interactions/matching_queue.changed.sql")),
        ),
        Fact::SessionTelemetry => (
            embedded!("interactions/session_telemetry.sql"),
            Some(embedded!("interactions/session_telemetry.changed.sql")),
        ),
        Fact::Messages => (embedded!("communications/messages.sql"), None),
        Fact::Reports => (
            embedded!("moderation/reports.sql"),
            Some(embedded!("moderation/reports.changed.sql")),
        ),
        Fact::ModerationActions => (embedded!("moderation/moderation_actions.sql"), None),
        Fact::Events => (embedded!("events/events.sql"), None),
    };
    FactQueries { rows, changed }
}
