//! What the binary tells of itself: its version, its help, its completions.

use std::process::Command;

use crate::support::{Kindred, home};

#[tokio::test]
async fn the_version_says_what_was_built_from_what() {
    let home = home();
    let kindred = Kindred::new(home.path());
    let answer = kindred.run(&["--version"]).await.expect(0);
    let facts: Vec<_> = answer.out.lines().collect();
    assert_eq!(facts[0], concat!("kindred ", env!("CARGO_PKG_VERSION")));
    let names: Vec<_> = facts[1..].iter().map(|fact| fact.split_once(": ").unwrap()).collect();
    let [commit, profile, target, rustc, definitions] = names[..] else {
        panic!("{answer}")
    };
    // Built from a repository, and from a bare folder.
    let is_commit = commit.1.len() >= 7 && commit.1.bytes().all(|digit| digit.is_ascii_hexdigit());
    assert!(commit.0 == "commit" && (is_commit || commit.1 == "unknown"), "{answer}");
    assert!(
        profile.0 == "profile" && ["debug", "release"].contains(&profile.1),
        "{answer}"
    );
    assert!(target.0 == "target" && target.1.contains("linux"), "{answer}");
    assert!(rustc.0 == "rustc" && rustc.1.starts_with("1."), "{answer}");
    assert_eq!(definitions, ("definitions", "1"));
    let short = kindred.run(&["-V"]).await.expect(0).out;
    assert_eq!(short.trim(), facts[0]);
}

#[tokio::test]
async fn the_help_teaches_by_examples_and_says_where_settings_are() {
    let home = home();
    let kindred = Kindred::new(home.path());
    kindred.run(&["--help"]).await.expect(0).says(&[
        "kindred demo",
        "DATABASE_URL",
        "docs/deployment.md",
        "Exit codes",
        "playground",
        "completions",
    ]);
    for (command, example) in [
        ("serve", "curl -s -X POST http://127.0.0.1:3010/trigger/daily"),
        ("run", "kindred run daily --date 2026-01-31"),
        ("backfill", "--mode failed"),
        ("query", "--format parquet --output"),
        ("simulate", "--follow"),
        ("playground", "scripts/create-test-users.sh"),
        ("psql", "kindred psql users -c"),
        ("completions", "kindred completions bash >"),
    ] {
        kindred
            .run(&[command, "--help"])
            .await
            .expect(0)
            .says(&["Examples:", example]);
    }
}

#[tokio::test]
async fn completions_are_printed_whatever_the_settings_are() {
    let home = home();
    let kindred = Kindred::new(home.path()).with("API_PORT", "nonsense");
    for (shell, word) in [
        ("bash", "complete -F _kindred"),
        ("zsh", "#compdef kindred"),
        ("fish", "complete -c kindred"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let answer = kindred.run(&["completions", shell]).await.expect(0);
        answer.says(&[word, "backfill", "playground"]);
        assert!(answer.err.is_empty(), "{answer}");
    }
    kindred
        .run(&["completions", "tcsh"])
        .await
        .expect(2)
        .complains(&["bash, elvish, fish, powershell, zsh"]);
    assert!(!home.path().join("state").exists(), "nothing was made");
}

#[tokio::test]
async fn bash_completes_commands_and_the_jobs_by_them() {
    let home = home();
    let script = Kindred::new(home.path())
        .run(&["completions", "bash"])
        .await
        .expect(0)
        .out;
    // The function that bash calls on Tab, given the line by hand.
    let complete = |line: &str| {
        let words = line.split(' ').count();
        let ask = format!(
            "{script}\nCOMP_WORDS=({line} ''); COMP_CWORD={words}; _kindred kindred '' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").arg("-c").arg(ask).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete("kindred").lines().any(|word| word == "playground"));
    let jobs = complete("kindred run");
    for job in ["daily", "hourly", "weekly", "sessions"] {
        assert!(jobs.lines().any(|word| word == job), "{jobs}");
    }
}
