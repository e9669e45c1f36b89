//! A job in an address.

use kindred_model::{Job, UnknownWord};

use crate::problem::ApiError;

/// The job of this name; the weekly one is known as `retention`, too.
pub(crate) fn job_named(name: &str) -> Result<Job, ApiError> {
    match name {
        "retention" => Ok(Job::Weekly),
        name => name
            .parse()
            .map_err(|error: UnknownWord| ApiError::NotFound(error.to_string())),
    }
}
