//! What everyone on a machine can see of a process, and what the processes that it starts are told.

use std::fs;

use reqwest::{Method, StatusCode};

use crate::support::{Kindred, Server, home};

/// Words that stand in no other test, since all processes of the machine are looked at.
const KEYS: &str = "canary-5a1e-of-the-user-keys";
const MIXPANEL: &str = "canary-5a1e-of-mixpanel";
const AWS: &str = "canary-5a1e-of-aws";
const WEBHOOK: &str = "http://127.0.0.1:1/canary-5a1e-of-the-webhook";
const TOKEN: &str = "canary-5a1e-token";
/// `printf %s TOKEN | sha256sum`
const DIGEST: &str = "b00cf058263cdfa230ed340310074bd606685a32ad1975b89c1fd83707125ca6";

/// The command lines of all processes, and the environments of those whose command line holds a word.
fn processes(word: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut environments) = (Vec::new(), Vec::new());
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let read =
            |file: &str| fs::read(entry.path().join(file)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // One that ends meanwhile shows nothing any more.
        let Ok(line) = read("cmdline") else { continue };
        if line.contains(word) {
            environments.extend(read("environ"));
        }
        lines.push(line.replace('\0', " "));
    }
    (lines, environments)
}

fn assert_silent(texts: &[String]) {
    for text in texts {
        assert!(!text.contains("5a1e"), "a secret is told: {text}");
    }
}

#[tokio::test]
async fn no_command_line_holds_a_secret_and_the_embedded_server_is_told_none() {
    let home = home();
    let kindred = Kindred::new(home.path())
        .with("USER_KEY_SECRET", KEYS)
        .with("MIXPANEL_USERNAME", "someone")
        .with("MIXPANEL_SECRET", MIXPANEL)
        .with("AWS_SECRET_ACCESS_KEY", AWS)
        .with("ALERT_WEBHOOK_URL", WEBHOOK)
        .with("API_TOKENS", format!("ann:admin:{DIGEST}"))
        .with("LOG_LEVEL", "trace");
    let server = Server::start_until(&kindred, &["serve"], "callers need a token of API_TOKENS").await;
    assert_eq!(server.get_with(TOKEN, "/kpis/overview").await, StatusCode::OK);
    assert_eq!(server.control_with(TOKEN, Method::GET, "/runs").await, StatusCode::OK);
    let data = home.path().join("state/postgres/data");
    let (lines, environments) = processes(data.to_str().unwrap());
    assert!(
        lines.iter().any(|line| line.contains(" serve")),
        "the server is among them"
    );
    assert!(!environments.is_empty(), "the embedded server is among them");
    assert_silent(&lines);
    assert_silent(&environments);

    let asked = "select pg_sleep(30)";
    let mut psql = kindred.command(&["psql", "analytics", "-c", asked]).spawn().unwrap();
    let began = std::time::Instant::now();
    let lines = loop {
        let (lines, _) = processes("psql");
        if lines
            .iter()
            .any(|line| line.contains("bin/psql") && line.contains(asked))
        {
            break lines;
        }
        assert!(began.elapsed().as_secs() < 60, "psql was not started");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_silent(&lines);
    psql.kill().await.unwrap();
    assert_silent(&[server.stop().await.expect(0).to_string()]);
}
