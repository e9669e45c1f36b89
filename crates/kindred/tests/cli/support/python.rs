//! The Python environments that `scripts/venv.sh` makes from the pinned packages of `scripts/requirements/`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The interpreter of the environment of this name, made when it is missing.
pub(crate) async fn python(name: &str) -> PathBuf {
    // The settings of pip and of the build are in the environment, and below HOME.
    let venv = Command::new(repository("scripts/venv.sh"))
        .arg(name)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&venv.stderr);
    assert!(
        venv.status.success(),
        "the Python environment `{name}` cannot be made: {said}"
    );
    Path::new(String::from_utf8_lossy(&venv.stdout).trim()).join("bin/python")
}
