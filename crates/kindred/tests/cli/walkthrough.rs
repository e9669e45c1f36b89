//! `scripts/walkthrough.sh`: the specification's complete test sequence, on services of its own.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::support::home;

/// It waits for tomorrow when midnight is near.
const PATIENCE: Duration = Duration::from_secs(540);

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}

/// Runs a script with these settings and no others.
async fn run(name: &str, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(script(name));
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(settings.iter().copied())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    output.unwrap_or_else(|_| panic!("{name} did not end")).unwrap()
}

#[tokio::test]
async fn every_phase_of_the_specification_gives_the_figures_of_what_was_done() {
    let ports = [
        "API_PORT",
        "ETL_PORT",
        "USER_SERVICE_PORT",
        "INTERACTION_SERVICE_PORT",
        "COMMUNICATION_SERVICE_PORT",
    ];
    let mut settings = ports.map(|port| (port, "0")).to_vec();
    let home = home();
    let folder = home.path().to_str().unwrap();
    settings.extend([
        ("KINDRED", env!("CARGO_BIN_EXE_kindred")),
        ("USERS", "10"),
        ("TMPDIR", folder),
    ]);
    let done = run("walkthrough.sh", &settings).await;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(done.status.code(), Some(0), "{said}");
    for (phase, check) in [
        ("Phase 1", "users registered: 10"),
        ("Phase 2", "matches, one for each pair: 5"),
        ("Phase 3", "the run of daily is: completed"),
        ("Phase 4", "dailyActiveUsers, as many as signed in: 10"),
        ("Phase 5", "cohort of this week, and who came: 10|10"),
    ] {
        let is_ok = |line: &str| line.trim_start().starts_with("ok ") && line.ends_with(check);
        assert!(said.contains(phase) && said.lines().any(is_ok), "{check}: {said}");
    }
    assert!(
        said.ends_with("Every check is ok.\n") && !said.contains("FAILED"),
        "{said}"
    );
}

#[tokio::test]
async fn a_script_without_services_says_where_it_looked_for_them() {
    let nowhere = [("USER_SERVICE_URL", "http://127.0.0.1:1")];
    for name in ["create-test-users.sh", "generate-activity.sh"] {
        let done = run(name, &nowhere).await;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(
            said.contains("http://127.0.0.1:1/api/auth/") && said.contains("cannot be reached"),
            "{said}"
        );
    }
    let done = run("create-test-users.sh", &[("USERS", "many")]).await;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        done.status.code() == Some(1) && said.contains("USERS is `many`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_walk_whose_services_do_not_start_says_why_and_leaves_nothing_behind() {
    let home = home();
    let program = home.path().join("kindred");
    std::os::unix::fs::symlink("/bin/false", &program).unwrap();
    let folder = home.path().to_str().unwrap();
    let done = run(
        "walkthrough.sh",
        &[("KINDRED", program.to_str().unwrap()), ("TMPDIR", folder)],
    )
    .await;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("kindred serve did not start"), "{said}");
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        1,
        "only the program itself is left"
    );
}
