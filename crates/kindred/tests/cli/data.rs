//! What data scientists are shown, on the lake of a small demo: the examples of `docs/data.md`, in every tool, and the
//! notebook.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::support::{Kindred, Server, home, python, repository};

/// Forty days, so that whole weeks of registration have whole weeks behind them.
const DEMO: &[&str] = &["demo", "--users", "150", "--days", "40", "--still"];

/// Plots that the notebook draws.
const PLOTS: usize = 6;

/// Runs a script of Python in a folder that `lake` is in.
async fn run(arguments: &[&str], folder: &Path, lake: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_kindred")).parent().unwrap();
    let child = Command::new(python("data").await)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()))
        .env("HOME", folder)
        .env("STATE_DIR", lake.parent().unwrap())
        .env("LAKE", lake)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(300), child.wait_with_output()).await;
    ended.unwrap_or_else(|_| panic!("{arguments:?} did not end")).unwrap()
}

#[tokio::test]
async fn every_tool_gives_the_same_answers_on_a_lake_and_the_notebook_draws_its_plots() {
    let home = home();
    let kindred = Kindred::new(home.path());
    let server = Server::start_until(&kindred, DEMO, "every table is filled").await;
    server.stop().await.expect(0);
    let lake = home.path().join("state/lake");

    let (script, page) = (repository("scripts/run-examples.py"), repository("docs/data.md"));
    let arguments = [script.to_str().unwrap(), page.to_str().unwrap(), "."];
    let done = run(&arguments, lake.parent().unwrap(), &lake).await;
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let four_ways = said.lines().filter(|line| line.contains(": 4 ways, ")).count();
    assert!(four_ways >= 4 && four_ways == said.lines().count(), "{said}");

    let script = repository("scripts/run-notebook.py");
    let (notebook, drawn) = (repository("docs/notebooks/tour.ipynb"), home.path().join("tour.ipynb"));
    let arguments = [&script, &notebook, &drawn].map(|path| path.to_str().unwrap());
    let done = run(&arguments, home.path(), &lake).await;
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.ends_with(&format!(" {PLOTS} plots\n")), "{said}");
}

#[test]
fn the_notebook_is_kept_with_its_plots_and_without_a_path_of_the_machine_it_ran_on() {
    let kept = std::fs::read_to_string(repository("docs/notebooks/tour.ipynb")).unwrap();
    assert_eq!(kept.matches("\"image/png\"").count(), PLOTS);
    assert!(!kept.contains("/var/") && !kept.contains("/home/") && !kept.contains("/root/"));
}
