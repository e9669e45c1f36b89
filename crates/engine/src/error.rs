//! What can go wrong between a query's name and its rows.

use std::path::PathBuf;
use std::time::Duration;

use datafusion::error::DataFusionError;
use kindred_lake::Fault;

/// A failure of the engine. Every message names the query and what to check.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The library holds no query of this name.
    #[error("there is no query `{0}`: its file is missing below queries/ (QUERIES_DIR)")]
    UnknownQuery(String),
    /// A query file's header is incomplete.
    #[error("the header of query `{query}` has no line `-- {field}: …`")]
    Header {
        /// The query.
        query: String,
        /// The missing field.
        field: &'static str,
    },
    /// A query file cannot be read.
    #[error("the query file {} cannot be read", path.display())]
    QueryFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A query was run without one of its parameters.
    #[error("the query `{query}` needs the parameter ${parameter}")]
    MissingParameter {
        /// The query.
        query: String,
        /// The parameter.
        parameter: String,
    },
    /// A query reads a table that the session does not have.
    #[error("the query `{query}` reads `{table}`, which this session does not have")]
    MissingTable {
        /// The query.
        query: String,
        /// The table.
        table: String,
    },
    /// The lake's store was not there for what the plan reads.
    #[error("the query `{query}` could not read the lake {lake}: {}", fault.advice(lake))]
    Lake {
        /// The query.
        query: String,
        /// The lake's address.
        lake: String,
        /// Why the store was not there.
        fault: Fault,
        /// What DataFusion said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The plan or its execution failed.
    #[error("the query `{query}` failed")]
    Plan {
        /// The query.
        query: String,
        /// Whether a file that it reads was replaced or removed meanwhile.
        lost_a_file: bool,
        /// What DataFusion said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The plan did not end in time, even on one partition.
    #[error("the query `{query}` was still running after {}: it was given up", humantime(*after))]
    Deadline {
        /// The query.
        query: String,
        /// The deadline.
        after: Duration,
    },
    /// The engine could not be set up.
    #[error("the engine could not be started: check MEMORY_LIMIT and the space for temporary files")]
    Start(#[source] Box<DataFusionError>),
}

impl EngineError {
    /// Whether the same work may succeed when it is planned anew: a file was replaced while it was read.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Plan { lost_a_file: true, .. })
    }

    /// Whether the lake's store did not answer, or did not let us in.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Lake { .. })
    }
}

fn humantime(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
