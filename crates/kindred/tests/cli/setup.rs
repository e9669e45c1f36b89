//! `scripts/setup.sh`, which `make` calls before everything.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::home;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/setup.sh")
}

#[test]
fn it_is_silent_where_everything_is_there() {
    let syntax = Command::new("sh").arg("-n").arg(script()).output().unwrap();
    assert!(syntax.status.success() && syntax.stderr.is_empty(), "{syntax:?}");
    let done = Command::new(script()).output().unwrap();
    assert!(
        done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(),
        "{done:?}"
    );
}

#[test]
fn it_names_all_tools_that_are_missing_and_the_packages_that_have_them() {
    let home = home();
    for tool in ["cut", "dirname", "head", "id", "sed", "sort"] {
        let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        symlink(found, home.path().join(tool)).unwrap();
    }
    let done = Command::new("/bin/sh")
        .arg(script())
        .env("PATH", home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    for word in [
        "cc",
        "make",
        "perl",
        "flock",
        "setpriv",
        "apt-get install",
        "gcc",
        "util-linux",
        "rustup",
    ] {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 6, "it changes nothing");
}
