//! `kindred demo` on the embedded server: the first start, a stop, the next start, a kill, the start after that; and as
//! an unprivileged user.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Kindred, Server, embedded_server, home};

/// Sources that stand still can be counted again.
const DEMO: &[&str] = &["demo", "--users", "120", "--days", "20", "--still"];

#[tokio::test]
async fn a_demo_serves_what_its_sources_confirm_and_keeps_it_over_a_stop_and_a_kill() {
    let home = home();
    let kindred = Kindred::new(home.path());

    let server = Server::start(&kindred, DEMO).await;
    assert_eq!(server.get("/ready").await.0, 200);
    let (status, overview) = server.get("/kpis/overview").await;
    assert_eq!(status, 200, "{overview}");
    assert_eq!(overview["meta"]["isPartial"], true, "today is under way: {overview}");
    confirm(&kindred, &overview).await;
    assert!(
        server.printed().contains("curl -s http://127.0.0.1:") && !server.printed().contains(":0/"),
        "the addresses are those that answer: {}",
        server.printed()
    );
    server.stop().await.expect(0);
    assert_eq!(
        processes_in(home.path()),
        Vec::<String>::new(),
        "nothing runs after a stop"
    );

    let server = Server::start(&kindred, DEMO).await;
    assert!(server.ready_after < Duration::from_secs(20), "{:?}", server.ready_after);
    assert!(
        server
            .log()
            .contains("the simulated platform of an earlier start is kept")
    );
    let (_, again) = server.get("/kpis/overview").await;
    assert_eq!(closed_days(&again), closed_days(&overview));

    // Killed in the middle of a run.
    server.idle().await;
    let from = overview["trends"]["userGrowth"][0]["date"].as_str().unwrap();
    let to = overview["meta"]["date"].as_str().unwrap();
    let request = format!("/trigger/daily?from={from}&to={to}&wait=0");
    let (mut status, mut run) = server.control(Method::POST, &request).await;
    // What is missing since the last start may be under way.
    while status == 409 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (status, run) = server.control(Method::POST, &request).await;
    }
    assert_eq!(status, 202, "{run}");
    let killed = run["runId"].as_str().unwrap();
    while server.control(Method::GET, "/health").await.1["jobs"][0]["lastRun"]["status"] == "queued" {}
    server.kill().await;

    let server = Server::start(&kindred, DEMO).await;
    assert!(server.ready_after < Duration::from_secs(20), "{:?}", server.ready_after);
    let said = format!("select status, error_message from etl_job_runs where id = '{killed}'");
    let said = kindred.ask("analytics", &said).await;
    assert!(said.starts_with("failed|its process died"), "the killed run is {said}");
    assert_eq!(server.idle().await["status"], "completed");
    let (_, again) = server.get("/kpis/overview").await;
    assert_eq!(closed_days(&again), closed_days(&overview));
    server.stop().await.expect(0);
    assert_eq!(
        processes_in(home.path()),
        Vec::<String>::new(),
        "nothing runs after a stop"
    );
}

#[tokio::test]
async fn the_platform_of_a_demo_goes_on_while_it_serves_and_after_a_pause() {
    let home = home();
    let _server = embedded_server(home.path()).await;
    let kindred = Kindred::new(home.path());
    let told = async || {
        kindred
            .ask("interactions", "select told_until from simulator.history")
            .await
    };
    let mut before = String::new();
    for _ in 0..2 {
        let server = Server::start(&kindred, &["demo", "--users", "300", "--days", "3"]).await;
        let until = kindred.ask("users", "select now()").await;
        while told().await <= until {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(server.get("/ready").await.0, 200);
        server.stop().await.expect(0);
        assert!(told().await > before);
        before = told().await;
    }
}

#[tokio::test]
async fn a_simulation_is_followed_until_it_is_stopped_and_by_the_next_one_too() {
    let home = home();
    let _server = embedded_server(home.path()).await;
    let kindred = Kindred::new(home.path());
    let arguments = ["simulate", "--follow", "--users", "50", "--days", "3"];
    let told = async || {
        kindred
            .ask("interactions", "select told_until from simulator.history")
            .await
    };
    for _ in 0..2 {
        let following = Server::start_until(&kindred, &arguments, "goes on in real time").await;
        let until = kindred.ask("users", "select now()").await;
        while told().await <= until {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        following.stop().await.expect(0);
    }
    assert_eq!(
        kindred
            .ask("interactions", "select count(*) from simulator.history")
            .await,
        "1"
    );
}

#[tokio::test]
async fn a_demo_runs_for_a_user_without_privileges_in_its_own_home() {
    let home = home();
    if fs::metadata(home.path()).unwrap().uid() != 0 {
        eprintln!("skipped: only root can become somebody else; the other tests ran as that user already");
        return;
    }
    const NOBODY: u32 = 65_534;
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // The build's folder may be closed to others.
    let program = home.path().join("kindred");
    let built = env!("CARGO_BIN_EXE_kindred");
    fs::hard_link(built, &program)
        .or_else(|_| fs::copy(built, &program).map(drop))
        .unwrap();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let program = [&nobody[..], &[program.to_str().unwrap()]].concat();
    let kindred = Kindred::new(home.path()).without("STATE_DIR").run_by(&program);

    let server = Server::start(&kindred, &["demo", "--users", "30", "--days", "8"]).await;
    let (status, overview) = server.get("/kpis/overview").await;
    assert_eq!(status, 200, "{overview}");
    assert_eq!(closed_days(&overview).len(), 8, "{overview}");
    let state = home.path().join(".local/state/kindred");
    assert_eq!(
        fs::metadata(state).unwrap().uid(),
        NOBODY,
        "the state is the user's own"
    );
    server.stop().await.expect(0);
    assert_eq!(processes_in(home.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_demo_that_is_stopped_while_it_is_filled_goes_on_at_the_next_start() {
    let home = home();
    let _server = embedded_server(home.path()).await;
    let kindred = Kindred::new(home.path());
    let arguments = ["demo", "--users", "100", "--days", "40"];
    let stopped = Server::start_until(&kindred, &arguments, "run begins")
        .await
        .stop()
        .await
        .expect(0);
    assert!(!stopped.out.contains("The figures are ready"), "{stopped}");
    let server = Server::start(&kindred, &arguments).await;
    assert_eq!(
        closed_days(&server.get("/kpis/overview").await.1).len(),
        30,
        "a window of 30 days"
    );
    let ledger = kindred
        .ask(
            "analytics",
            "select status, count(*) from etl_job_runs where backfill_mode is null and job_name = 'daily' group by 1 order by 1",
        )
        .await;
    assert_eq!(ledger, "cancelled|1\ncompleted|2", "41 days are two runs");
    server.stop().await.expect(0);
}

/// The complete days of an overview, with their figures.
fn closed_days(overview: &Value) -> Vec<Value> {
    overview["trends"]["userGrowth"].as_array().cloned().unwrap_or_default()
}

/// Compares an overview with what PostgreSQL counts in the sources.
async fn confirm(kindred: &Kindred, overview: &Value) {
    let days = closed_days(overview);
    assert_eq!(days.len(), 20, "{overview}");
    let sum = |field: &str| days.iter().map(|day| day[field].as_i64().unwrap()).sum::<i64>();
    assert!(sum("activeUsers") > 100 && sum("newRegistrations") > 50, "{overview}");
    for day in &days {
        let date = day["date"].as_str().unwrap();
        let registered = "select count(*) from users where not is_internal and created_at::date";
        let registered = kindred.ask("users", &format!("{registered} = '{date}'")).await;
        assert_eq!(
            day["newRegistrations"].to_string(),
            registered,
            "registrations of {date}"
        );
        let active = kindred.ask("users", &active_users(date)).await;
        assert_eq!(day["activeUsers"].to_string(), active, "active users of {date}");
    }
    // The latest day, today, of which the history holds what happened before the start.
    let date = overview["meta"]["date"].as_str().unwrap();
    let internal = "select coalesce(string_agg(quote_literal(id), ','), 'null') from users where is_internal";
    let internal = kindred.ask("users", internal).await;
    let others = format!("created_at::date = '{date}' and coalesce(%s not in ({internal}), true)");
    let [sender, recipient, a, b] =
        ["sender_id", "recipient_id", "user_a_id", "user_b_id"].map(|column| others.replace("%s", column));
    let messages = format!("select count(*) from messages where {sender} and {recipient}");
    let matches = format!("select count(*) from matches where {a} and {b}");
    let current = &overview["currentMetrics"];
    assert_eq!(
        current["dailyActiveUsers"].to_string(),
        kindred.ask("users", &active_users(date)).await
    );
    assert_eq!(
        current["totalMessages"].to_string(),
        kindred.ask("communications", &messages).await
    );
    assert_eq!(
        current["totalMatches"].to_string(),
        kindred.ask("interactions", &matches).await
    );
}

/// Users with a session that meets the day; a session lasts 24 hours at most.
fn active_users(date: &str) -> String {
    format!(
        "select count(distinct user_id) from user_sessions s left join users u on u.id = s.user_id
         where not coalesce(u.is_internal, false) and started_at < timestamptz '{date}' + interval '1 day'
         and (started_at >= timestamptz '{date}' or least(coalesce(ended_at, last_seen_at), started_at + interval '24 hours') > timestamptz '{date}')"
    )
}

/// The processes whose command line names a folder: servers, supervisors, whatever was left behind.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let command_lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
    command_lines.filter(|line| line.contains(folder)).collect()
}
