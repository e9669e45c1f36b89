use chrono::TimeDelta;
use kindred_model::{Job, RunStatus};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers, problem};

async fn runs(servers: &Servers, query: &str) -> (Vec<Uuid>, Option<String>) {
    let page = servers.answer(Method::GET, &format!("/runs{query}"), 200).await;
    let id = |run: &Value| run["runId"].as_str().unwrap().parse().unwrap();
    let ids = page["runs"].as_array().unwrap().iter().map(id).collect();
    (ids, page["nextCursor"].as_str().map(str::to_owned))
}

/// Runs of the last days, the newest first: one a day, of daily and hourly in turns, every third one failed.
async fn history(servers: &Servers, count: i64) -> Vec<Uuid> {
    let mut written = Vec::new();
    for n in 0..count {
        servers.clock.set(at(NOW) + TimeDelta::days(n - count + 1));
        let job = if n % 2 == 0 { Job::Daily } else { Job::Hourly };
        let status = if n % 3 == 0 {
            RunStatus::Failed
        } else {
            RunStatus::Completed
        };
        written.insert(0, servers.ended(job, status).await);
    }
    written
}

#[tokio::test]
async fn an_empty_ledger_is_an_empty_list() {
    let servers = Servers::start().await;
    assert_eq!(
        servers.answer(Method::GET, "/runs", 200).await,
        json!({"runs": [], "nextCursor": null})
    );
}

#[tokio::test]
async fn the_newest_run_comes_first_and_filters_combine() {
    let servers = Servers::start().await;
    let all = history(&servers, 6).await;
    assert_eq!(runs(&servers, "").await, (all.clone(), None));
    let chosen = |indices: &[usize]| indices.iter().map(|index| all[*index]).collect::<Vec<_>>();
    // The oldest, all[5], is run 0: daily, failed.
    assert_eq!(runs(&servers, "?job=daily").await.0, chosen(&[1, 3, 5]));
    assert_eq!(runs(&servers, "?status=failed").await.0, chosen(&[2, 5]));
    assert_eq!(runs(&servers, "?job=hourly&status=failed").await.0, chosen(&[2]));
    assert_eq!(runs(&servers, "?job=weekly").await.0, chosen(&[]));
    assert_eq!(
        runs(&servers, "?from=2024-11-16").await.0,
        chosen(&[0, 1]),
        "requested on the 16th or later"
    );
    assert_eq!(
        runs(&servers, "?to=2024-11-14").await.0,
        chosen(&[4, 5]),
        "requested before the 14th"
    );
    assert_eq!(
        runs(&servers, "?from=2024-11-14&to=2024-11-16").await.0,
        chosen(&[2, 3])
    );
}

#[tokio::test]
async fn pages_hold_each_run_once_while_newer_ones_come() {
    let servers = Servers::start().await;
    let all = history(&servers, 5).await;
    // Two more of one instant: their ids tell them apart.
    let same = [
        servers.ended(Job::Weekly, RunStatus::Completed).await,
        servers.ended(Job::Sessions, RunStatus::Completed).await,
    ];
    let (mut seen, mut cursor) = runs(&servers, "?limit=2").await;
    servers.clock.set(at(NOW) + TimeDelta::hours(1));
    servers.ended(Job::Weekly, RunStatus::Completed).await;
    while let Some(place) = cursor {
        let (page, next) = runs(&servers, &format!("?limit=2&cursor={place}")).await;
        assert!(!page.is_empty() && page.len() <= 2);
        seen.extend(page);
        cursor = next;
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert!(seen[..3].contains(&same[0]) && seen[..3].contains(&same[1]) && seen[..3].contains(&all[0]));
    assert_eq!(seen[3..], all[1..]);
}

#[tokio::test]
async fn a_page_that_ends_with_the_last_run_has_no_next() {
    let servers = Servers::start().await;
    history(&servers, 2).await;
    assert_eq!(runs(&servers, "?limit=2").await.1, None);
    assert!(runs(&servers, "?limit=1").await.1.is_some());
}

#[tokio::test]
async fn a_run_is_found_by_its_id() {
    let servers = Servers::start().await;
    let id = servers.ended(Job::Hourly, RunStatus::Failed).await;
    let run = servers.answer(Method::GET, &format!("/runs/{id}"), 200).await;
    assert_eq!((&run["runId"], &run["status"]), (&json!(id), &json!("failed")));
    assert_eq!(
        (&run["recordsRead"], &run["errorMessage"]),
        (&json!(120), &json!("the users database is down"))
    );
    assert_eq!(
        run["dataQualityChecks"],
        json!([{"check": "lifecycle_sum", "passed": true}])
    );
    assert_eq!(run["children"], json!([]));
    for unknown in ["0190b5a0-0000-7000-8000-000000000001", "nothing"] {
        problem(servers.control(Method::GET, &format!("/runs/{unknown}")).await, 404).await;
    }
}

#[tokio::test]
async fn a_list_that_makes_no_sense_is_refused_in_the_parameters_words() {
    let servers = Servers::start().await;
    let mistakes = [
        ("?job=nightly", "`nightly` is no job"),
        ("?status=done", "`done` is no run status"),
        ("?limit=0", "1 to 500"),
        ("?limit=501", "1 to 500"),
        ("?limit=many", "limit"),
        ("?from=yesterday", "`yesterday` is no date"),
        ("?from=2024-11-10&to=2024-11-10", "holds no day"),
        ("?cursor=0", "nextCursor"),
        ("?cursor=zz-0190b5a0000070008000000000000001", "nextCursor"),
        (
            "?cursor=7fffffffffffffff-0190b5a0000070008000000000000001",
            "nextCursor",
        ),
        ("?page=2", "unknown field `page`"),
    ];
    for (query, detail) in mistakes {
        let problem = problem(servers.control(Method::GET, &format!("/runs{query}")).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{query}: {told}");
    }
}
