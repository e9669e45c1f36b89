//! Exit codes, and the last words of a command.
//!
//! 0 done; 1 the run failed; 2 usage or settings; 3 a source, the warehouse or the lake's bucket could not be reached.

use std::error::Error;
use std::process::ExitCode;

use kindred_embedded_pg::EmbeddedPgError;
use kindred_engine::EngineError;
use kindred_extract::{ErrorKind as ExtractErrorKind, ExtractError};
use kindred_jobs::{ErrorKind as JobErrorKind, JobError, describe};
use kindred_lake::LakeError;
use kindred_model::EmptyWindow;
use kindred_playground::PlaygroundError;
use kindred_simulator::SimulatorError;
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
    if error.chain().any(is_closed_pipe) {
        // Whoever read our answer has read enough of it.
        return ExitCode::SUCCESS;
    }
    eprintln!("kindred: {}", describe(error.as_ref()));
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(FAILED)
}

/// The code that one cause decides; `None` when it says nothing about it.
fn code_of(cause: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<JobError>() {
        return Some(match error.kind() {
            JobErrorKind::Unreachable => UNREACHABLE,
            JobErrorKind::Usage => USAGE,
            JobErrorKind::Cancelled | JobErrorKind::Failed => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<WarehouseError>() {
        return Some(match error.kind() {
            WarehouseErrorKind::Unreachable | WarehouseErrorKind::Credentials => UNREACHABLE,
            WarehouseErrorKind::Address => USAGE,
            _ => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<ExtractError>() {
        return Some(match error.kind() {
            ExtractErrorKind::Unreachable | ExtractErrorKind::Credentials => UNREACHABLE,
            ExtractErrorKind::Settings => USAGE,
            _ => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<SimulatorError>() {
        return Some(match error {
            SimulatorError::Unreachable { .. } => UNREACHABLE,
            SimulatorError::Population { .. } | SimulatorError::Address { .. } => USAGE,
            _ => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<PlaygroundError>() {
        return Some(match error {
            PlaygroundError::Unreachable { .. } => UNREACHABLE,
            PlaygroundError::Address { .. } => USAGE,
            _ => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<CheckFailed>() {
        return Some(if error.unreachable { UNREACHABLE } else { USAGE });
    }
    let is_lake_away = cause.downcast_ref().is_some_and(LakeError::is_unreachable)
        || cause.downcast_ref().is_some_and(EngineError::is_unreachable);
    if is_lake_away || cause.is::<EmbeddedPgError>() {
        return Some(UNREACHABLE);
    }
    let malformed_setting = matches!(cause.downcast_ref(), Some(LakeError::Address { .. }))
        || matches!(
            cause.downcast_ref(),
            Some(EngineError::Header { .. } | EngineError::QueryFile { .. })
        );
    (malformed_setting || cause.is::<Usage>() || cause.is::<EmptyWindow>()).then_some(USAGE)
}

fn is_closed_pipe(cause: &(dyn Error + 'static)) -> bool {
    let error = cause.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
