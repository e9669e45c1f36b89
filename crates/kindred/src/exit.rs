//! Exit codes, and the last words of a command.
//!
//! 0 done; 1 the run failed; 2 usage or settings; 3 a source or the warehouse could not be reached.

use std::process::ExitCode;

use kindred_jobs::{ErrorKind as JobErrorKind, JobError, describe};
use kindred_model::EmptyWindow;
use kindred_warehouse::{ErrorKind as WarehouseErrorKind, WarehouseError};

use crate::settings::Mistake;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;

/// A request that makes no sense, found after the command line was read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Mistakes that `kindred check` has found and already listed.
#[derive(Debug, thiserror::Error)]
#[error("{count} mistake{} found", if *count == 1 { "" } else { "s" })]
pub(crate) struct CheckFailed {
    pub(crate) count: usize,
    pub(crate) unreachable: bool,
}

/// Says which settings are wrong, all of them.
pub(crate) fn settings(mistakes: &[Mistake]) -> ExitCode {
    eprintln!(
        "kindred: {} setting{} to correct:",
        mistakes.len(),
        if mistakes.len() == 1 { "" } else { "s" }
    );
    for mistake in mistakes {
        eprintln!("  {mistake}");
    }
    ExitCode::from(USAGE)
}

/// Says why a command failed.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("kindred: {}", describe(error.as_ref()));
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<JobError>() {
            return match error.kind() {
                JobErrorKind::Unreachable => UNREACHABLE,
                JobErrorKind::Usage => USAGE,
                JobErrorKind::Cancelled | JobErrorKind::Failed => FAILED,
            };
        }
        if let Some(error) = cause.downcast_ref::<WarehouseError>() {
            return match error.kind() {
                WarehouseErrorKind::Unreachable | WarehouseErrorKind::Credentials => UNREACHABLE,
                WarehouseErrorKind::Address => USAGE,
                _ => FAILED,
            };
        }
        if let Some(error) = cause.downcast_ref::<CheckFailed>() {
            return if error.unreachable { UNREACHABLE } else { USAGE };
        }
        if cause.is::<Usage>() || cause.is::<EmptyWindow>() {
            return USAGE;
        }
        if cause.is::<kindred_embedded_pg::EmbeddedPgError>() || is_unreachable_source(cause) {
            return UNREACHABLE;
        }
    }
    FAILED
}

fn is_unreachable_source(cause: &(dyn std::error::Error + 'static)) -> bool {
    use kindred_simulator::SimulatorError;
    matches!(
        cause.downcast_ref::<SimulatorError>(),
        Some(SimulatorError::Unreachable { .. })
    )
}
