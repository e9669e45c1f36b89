//! What this binary is: for `kindred --version`, and for reports of faults.

use std::sync::LazyLock;

use kindred_model::DEFINITIONS_VERSION;

/// The version and the facts of the build, a line each.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\ncommit: {}\nprofile: {}\ntarget: {}\nrustc: {}\ndefinitions: {DEFINITIONS_VERSION}",
        env!("CARGO_PKG_VERSION"),
        env!("KINDRED_BUILD_COMMIT"),
        env!("KINDRED_BUILD_PROFILE"),
        env!("KINDRED_BUILD_TARGET"),
        env!("KINDRED_BUILD_RUSTC"),
    )
});
