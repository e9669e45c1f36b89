//! Why a run could not do its work, and what to do about it.

use std::error::Error;
use std::time::Duration;

use kindred_engine::EngineError;
use kindred_extract::ExtractError;
use kindred_lake::LakeError;
use kindred_model::{Interval, RunStatus, Source};
use kindred_warehouse::{PublishError, RequestError, WarehouseError};
use uuid::Uuid;

/// A failure of a job. Nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A required source has no address.
    #[error("the source {0} is not configured: set {setting}", setting = .0.setting())]
    SourceUnset(Source),
    /// A source failed.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A query failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The run could not be requested.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The run could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError<LakeError>),
    /// A person could not be removed from the warehouse.
    #[error(transparent)]
    Erase(#[from] PublishError<std::convert::Infallible>),
    /// The answer of a query does not fit its table.
    #[error("the rows of `{query}` do not fit the table {table}: {problem}")]
    Shape {
        /// The query.
        query: String,
        /// The table.
        table: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// The window has not begun.
    #[error("{0} lies in the future: there is nothing to compute yet")]
    Future(Interval),
    /// The run was stopped.
    #[error("the run was cancelled")]
    Cancelled,
    /// The run took too long.
    #[error("the run was still going on after {}: it was given up", minutes(*after))]
    Deadline {
        /// How long it was given.
        after: Duration,
    },
    /// The run was taken for dead, or cancelled from elsewhere.
    #[error("the run lost its lease: its heartbeat did not reach the warehouse, or it was cancelled from elsewhere")]
    LostLease,
    /// A backfill waited for its turn, and another run of the job did not end.
    #[error(
        "run {run_id} of the job has stood in the way for {minutes} minutes: wait for its end or cancel it, then resume"
    )]
    InTheWay {
        /// The run.
        run_id: Uuid,
        /// How long the backfill has waited.
        minutes: u64,
    },
    /// The scan after an erasure found something.
    #[error("the person is not erased yet: there are {left}; it is tried again")]
    NotErased {
        /// How many rows of what.
        left: String,
    },
    /// The request was taken up by another process.
    #[error("the run was taken up by another process")]
    TakenUp,
    /// The run was carried out by another process, and did not publish.
    #[error("the run, carried out by a server's worker, ended {status}: {message}")]
    Elsewhere {
        /// How it ended.
        status: RunStatus,
        /// What the ledger says.
        message: String,
    },
}

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A source, the warehouse or the lake's store could not be reached, or did not let us in.
    Unreachable,
    /// The request or a setting must be corrected.
    Usage,
    /// The run was stopped on purpose.
    Cancelled,
    /// Anything else: the message says what to check.
    Failed,
}

impl JobError {
    /// Whether the same run may succeed in a while: something was away, slow, or changed underneath.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use kindred_extract::ErrorKind as Extract;
        match self {
            Self::Extract(error) => matches!(error.kind(), Extract::Unreachable | Extract::Timeout),
            Self::Warehouse(error) | Self::Publish(PublishError::Warehouse(error)) => passes(error),
            Self::Request(RequestError::Warehouse(error)) | Self::Erase(PublishError::Warehouse(error)) => {
                passes(error)
            }
            Self::Engine(error) => error.is_retryable() || error.is_unreachable(),
            Self::Lake(error) | Self::Publish(PublishError::Swap(error)) => matches!(error, LakeError::Store { .. }),
            Self::LostLease
            | Self::Publish(PublishError::LostLease { .. })
            | Self::Erase(PublishError::LostLease { .. })
            | Self::Deadline { .. } => true,
            Self::Erase(PublishError::Swap(never)) => match *never {},
            Self::SourceUnset(_)
            | Self::Request(RequestError::AlreadyRunning { .. })
            | Self::Shape { .. }
            | Self::Future(_)
            | Self::Cancelled
            | Self::InTheWay { .. }
            | Self::NotErased { .. }
            | Self::TakenUp
            | Self::Elsewhere { .. } => false,
        }
    }

    /// What it asks for.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        use kindred_extract::ErrorKind as Extract;
        match self {
            Self::Extract(error) => match error.kind() {
                Extract::Unreachable | Extract::Credentials => ErrorKind::Unreachable,
                Extract::Settings => ErrorKind::Usage,
                Extract::Cancelled => ErrorKind::Cancelled,
                Extract::Contract | Extract::Timeout | Extract::Query => ErrorKind::Failed,
            },
            Self::Warehouse(error) | Self::Publish(PublishError::Warehouse(error)) => of_warehouse(error),
            Self::Request(RequestError::Warehouse(error)) | Self::Erase(PublishError::Warehouse(error)) => {
                of_warehouse(error)
            }
            Self::Erase(PublishError::Swap(never)) => match *never {},
            Self::Lake(error) | Self::Publish(PublishError::Swap(error)) if error.is_unreachable() => {
                ErrorKind::Unreachable
            }
            Self::Engine(error) if error.is_unreachable() => ErrorKind::Unreachable,
            Self::SourceUnset(_) | Self::Future(_) => ErrorKind::Usage,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Request(RequestError::AlreadyRunning { .. })
            | Self::Publish(PublishError::LostLease { .. } | PublishError::Swap(_))
            | Self::Erase(PublishError::LostLease { .. })
            | Self::Lake(_)
            | Self::Engine(_)
            | Self::Shape { .. }
            | Self::LostLease
            | Self::Deadline { .. }
            | Self::InTheWay { .. }
            | Self::NotErased { .. }
            | Self::TakenUp
            | Self::Elsewhere { .. } => ErrorKind::Failed,
        }
    }
}

fn passes(error: &WarehouseError) -> bool {
    use kindred_warehouse::ErrorKind as Warehouse;
    matches!(error.kind(), Warehouse::Unreachable | Warehouse::Timeout)
}

fn of_warehouse(error: &WarehouseError) -> ErrorKind {
    use kindred_warehouse::ErrorKind as Warehouse;
    match error.kind() {
        Warehouse::Unreachable | Warehouse::Credentials => ErrorKind::Unreachable,
        Warehouse::Address => ErrorKind::Usage,
        Warehouse::Schema | Warehouse::Timeout | Warehouse::Storage | Warehouse::Query => ErrorKind::Failed,
    }
}

fn minutes(time: Duration) -> String {
    format!("{} minutes", time.as_secs() / 60)
}

/// An error with its causes, for the ledger: `what failed: why: why that`. A cause that its effect already quotes is
/// left out.
#[must_use]
pub fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
