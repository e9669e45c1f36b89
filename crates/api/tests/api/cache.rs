//! Answers are kept, for a while, and forgotten when a run publishes.

use std::time::Duration;

use kindred_api::{AnswerCache, forget_what_is_published_anew};
use reqwest::header::{ACCEPT, HeaderMap, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Servers, day_of_key_figures, publish_nothing};

const ADDRESS: &str = "/kpis/overview";

/// How the answer came, by its headers.
async fn headers(servers: &Servers, path: &str) -> HeaderMap {
    let response = servers.kpi(Method::GET, path).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.headers().clone()
}

async fn caching() -> Servers {
    let servers = Servers::caching(Duration::from_secs(300)).await;
    day_of_key_figures(&servers, "2024-11-16", 1_500).await;
    servers
}

#[tokio::test]
async fn the_second_answer_comes_from_the_cache_and_is_the_same() {
    let servers = caching().await;
    let first = servers.kpi(Method::GET, ADDRESS).await;
    assert_eq!(first.headers()["x-cache"], "MISS");
    let first = first.text().await.unwrap();
    day_of_key_figures(&servers, "2024-11-17", 9).await;

    let second = servers.kpi(Method::GET, ADDRESS).await;
    assert_eq!(second.headers()["x-cache"], "HIT");
    assert_eq!(second.text().await.unwrap(), first);
    // Another address, and another form, are other answers.
    assert_eq!(
        headers(&servers, "/kpis/overview?compare=previous").await["x-cache"],
        "MISS"
    );
    let csv = servers
        .client()
        .get(servers.kpi_url(ADDRESS))
        .header(ACCEPT, "text/csv");
    assert_eq!(csv.send().await.unwrap().headers()["x-cache"], "MISS");
}

#[tokio::test]
async fn an_answer_says_how_long_it_is_kept_and_for_whom() {
    let servers = caching().await;
    for expected in ["MISS", "HIT"] {
        let headers = headers(&servers, ADDRESS).await;
        assert_eq!(headers["x-cache"], expected);
        let control = headers["cache-control"].to_str().unwrap();
        let seconds: u64 = control.strip_prefix("private, max-age=").unwrap().parse().unwrap();
        assert!((290..=300).contains(&seconds), "{control}");
        assert_eq!(headers["vary"], "accept");
    }
}

#[tokio::test]
async fn what_is_emptied_is_computed_anew_and_counted() {
    let servers = caching().await;
    servers.get(ADDRESS).await;
    servers.get("/kpis/active-users").await;
    let cleared = servers.kpi(Method::DELETE, "/cache").await;
    assert_eq!(
        cleared.json::<serde_json::Value>().await.unwrap(),
        json!({"cleared": 2})
    );
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "MISS");
    let cleared = servers.kpi(Method::DELETE, "/cache").await;
    assert_eq!(
        cleared.json::<serde_json::Value>().await.unwrap(),
        json!({"cleared": 1})
    );
}

#[tokio::test]
async fn an_answer_is_forgotten_when_its_time_is_over() {
    let servers = Servers::caching(Duration::from_millis(400)).await;
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "MISS");
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "HIT");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "MISS");
}

#[tokio::test]
async fn without_a_time_nothing_is_kept() {
    let servers = Servers::start().await;
    for _ in 0..2 {
        let headers = headers(&servers, ADDRESS).await;
        assert_eq!(headers["x-cache"], "MISS");
        assert_eq!(headers["cache-control"], "private, max-age=0");
    }
}

#[tokio::test]
async fn many_who_ask_for_the_same_at_a_time_cost_one_computation() {
    let servers = caching().await;
    // Nobody can read the table until all of them wait for it.
    let mut lock = servers.warehouse.pool().begin().await.unwrap();
    sqlx::raw_sql("lock table daily_kpi_summaries")
        .execute(&mut *lock)
        .await
        .unwrap();
    let ask = || async {
        let response = servers.kpi(Method::GET, ADDRESS).await;
        let found = response.headers()["x-cache"].to_str().unwrap().to_owned();
        (found, response.text().await.unwrap())
    };
    let asked = futures::future::join_all((0..20).map(|_| ask()));
    let unlocked = async {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        let mut most = 0;
        // From the first query on, the others have half a second to send one too.
        let mut looks_left = 400;
        while looks_left > 0 {
            let found: i64 = sqlx::query_scalar(waiting).fetch_one(&mut *lock).await.unwrap();
            if most == 0 && found > 0 {
                looks_left = 20;
            }
            most = most.max(found);
            looks_left -= 1;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        lock.rollback().await.unwrap();
        most
    };
    let (answers, waiting) = tokio::join!(asked, unlocked);
    assert_eq!(waiting, 1, "one query for twenty callers");
    assert_eq!(answers.iter().filter(|(found, _)| found == "MISS").count(), 1);
    assert!(answers.iter().all(|(_, text)| *text == answers[0].1));
}

#[tokio::test]
async fn what_went_wrong_is_not_kept() {
    let servers = Servers::caching(Duration::from_secs(300)).await;
    servers
        .execute("alter table daily_kpi_summaries rename to hidden")
        .await;
    assert_eq!(servers.kpi(Method::GET, ADDRESS).await.status(), 503);
    servers
        .execute("alter table hidden rename to daily_kpi_summaries")
        .await;
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "MISS");
    assert_eq!(servers.kpi(Method::GET, "/kpis/overview?x=1").await.status(), 400);
    assert_eq!(servers.kpi(Method::GET, "/kpis/overview?x=1").await.status(), 400);
}

#[tokio::test]
async fn a_caller_who_holds_the_answer_gets_no_body() {
    let servers = caching().await;
    let tag = headers(&servers, ADDRESS).await["etag"].clone();
    let holding = |tags: String| {
        let request = servers
            .client()
            .get(servers.kpi_url(ADDRESS))
            .header(IF_NONE_MATCH, tags);
        async { request.send().await.unwrap() }
    };
    let text = tag.to_str().unwrap();
    for tags in [
        text.to_owned(),
        text.trim_start_matches("W/").to_owned(),
        format!("\"another\", {text}"),
        "*".to_owned(),
    ] {
        let response = holding(tags).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers()["etag"], tag);
        assert!(response.headers().contains_key("cache-control"));
        assert!(response.bytes().await.unwrap().is_empty());
    }
    assert_eq!(holding("\"another\"".to_owned()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_tag_is_of_the_figures_and_not_of_the_moment() {
    let servers = caching().await;
    let tag = headers(&servers, ADDRESS).await["etag"].clone();
    servers.kpi(Method::DELETE, "/cache").await;
    servers.clock.set(servers.clock.now() + chrono::TimeDelta::seconds(90));
    let again = headers(&servers, ADDRESS).await;
    assert_eq!((&again["x-cache"], &again["etag"]), (&"MISS".parse().unwrap(), &tag));

    day_of_key_figures(&servers, "2024-11-17", 9).await;
    servers.kpi(Method::DELETE, "/cache").await;
    assert_ne!(headers(&servers, ADDRESS).await["etag"], tag);
}

#[tokio::test]
async fn a_publication_of_another_process_empties_the_cache() {
    let cache = AnswerCache::new(Duration::from_secs(300));
    let servers = Servers::keeping(cache.clone()).await;
    let warehouse = servers.warehouse.clone();
    let following = tokio::spawn(async move { forget_what_is_published_anew(&warehouse, &cache).await });
    listening(&servers).await;

    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "MISS");
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "HIT");
    publish_nothing(&servers).await;
    until_forgotten(&servers).await;

    // The connection is cut: whatever was published meanwhile was not heard, so that nothing may be kept.
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "HIT");
    servers
        .execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and query like 'LISTEN %'",
        )
        .await;
    until_forgotten(&servers).await;
    listening(&servers).await;
    assert_eq!(headers(&servers, ADDRESS).await["x-cache"], "HIT");
    publish_nothing(&servers).await;
    until_forgotten(&servers).await;
    following.abort();
}

/// Waits until somebody listens for publications.
async fn listening(servers: &Servers) {
    let listeners = "select exists (select from pg_stat_activity
        where datname = current_database() and query like 'LISTEN %')";
    for _ in 0..200 {
        let listens: bool = sqlx::query_scalar(listeners)
            .fetch_one(servers.warehouse.pool())
            .await
            .unwrap();
        if listens {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nobody listens for publications");
}

/// Waits until the address is computed anew.
async fn until_forgotten(servers: &Servers) {
    for _ in 0..200 {
        if headers(servers, ADDRESS).await["x-cache"] == "MISS" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the cache was not emptied");
}
