//! What a check says of one bucket of a table.

use std::str::FromStr;

use serde_json::Value;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertType {
    /// Something that should be there is not.
    MissingData,
    /// A figure is far above what it was.
    DataSpike,
    /// A figure is far below what it was.
    DataDrop,
    /// A source no longer gives what the contract says.
    SchemaChange,
    /// Figures contradict each other.
    Contradiction,
    /// Rows that are there and cannot be counted as they stand.
    UnusableRows,
}

impl AlertType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::MissingData,
        Self::DataSpike,
        Self::DataDrop,
        Self::SchemaChange,
        Self::Contradiction,
        Self::UnusableRows,
    ];

    /// As it stands in `data_quality_alerts.alert_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingData => "missing_data",
            Self::DataSpike => "data_spike",
            Self::DataDrop => "data_drop",
            Self::SchemaChange => "schema_change",
            Self::Contradiction => "contradiction",
            Self::UnusableRows => "unusable_rows",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// In how many buckets in a row a check must pass before its alert resolves.
    pub(super) const fn passes_needed(self) -> u64 {
        match self {
            Self::MissingData => 1,
            _ => 2,
        }
    }
}

/// How bad it is; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Figures may mislead.
    Medium,
    /// Figures are likely wrong.
    High,
    /// Figures are wrong, or were not published.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As it stands in `data_quality_alerts.severity`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// What is checked: there is one open alert of each at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckKey {
    /// What is wrong when it is violated.
    pub alert_type: AlertType,
    /// The summary table, or the fact.
    pub table: String,
    /// Its column; none when the check is of whole rows.
    pub column: Option<String>,
    /// The name of the check.
    pub check: String,
    /// The part of the table: a plan, a segment, a source.
    pub dimension: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All is well.
    Passed,
    /// There is too little history to tell.
    Insufficient,
    /// It is not.
    Violated {
        /// How bad it is.
        severity: Severity,
        /// What is wrong, for people.
        message: String,
        /// What the actual value was held against.
        threshold: Option<f64>,
        /// What was found.
        actual: Option<f64>,
        /// Anything else.
        details: Value,
    },
}

/// What a check says of one bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What was checked.
    pub key: CheckKey,
    /// The bucket, as text that sorts by time: `2026-01-31`, `2026-01-31T10:00:00Z`.
    pub bucket: String,
    /// What came of it.
    pub outcome: Outcome,
}

impl FromStr for Severity {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::named(text).ok_or("expected low, medium, high or critical")
    }
}
