//! Tells the binary what it was built from: `kindred --version`.
//!
//! `KINDRED_COMMIT` names the commit where there is no repository, as in a container's build. Without either there is no
//! commit to tell, and the build goes on.
#![allow(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts by the environment"
)]

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = output(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    tell("RUSTC", rustc.trim_start_matches("rustc "));
    for variable in ["PROFILE", "TARGET"] {
        tell(variable, &std::env::var(variable).unwrap_or_default());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=KINDRED_COMMIT");
    let given = std::env::var("KINDRED_COMMIT").ok().filter(|commit| !commit.is_empty());
    tell("COMMIT", &given.or_else(commit).unwrap_or_else(|| "unknown".to_owned()));
}

/// The commit that is checked out, if these sources are a repository of their own: not one that they were unpacked into.
fn commit() -> Option<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .ok()?;
    let top = output("git", &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != workspace {
        return None;
    }
    // A commit, a checkout and a rebase all write the log of HEAD; where none is kept, HEAD itself is better than nothing.
    for name in ["logs/HEAD", "HEAD"] {
        let path = output("git", &["rev-parse", "--git-path", name])?;
        if let Ok(path) = Path::new(&path).canonicalize() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    output("git", &["rev-parse", "--short=12", "HEAD"])
}

fn tell(name: &str, value: &str) {
    println!("cargo::rustc-env=KINDRED_BUILD_{name}={value}");
}

/// What a program prints, if it ends well.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
