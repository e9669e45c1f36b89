//! Signs of life that cannot be believed, and runs that cannot be touched.

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::RunStatus;
use kindred_warehouse::STALE_AFTER;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Database, at, publication, window};

const NOW: &str = "2026-03-02T01:00:00Z";

#[tokio::test]
async fn a_sign_of_life_from_the_future_counts_from_when_it_is_seen() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let ahead = at(NOW) + TimeDelta::hours(5);
    let run_id = database.running(owner, window("2026-03-01", "2026-03-02"), ahead).await;
    let reap = async |seconds: i64| {
        let now = at(NOW) + TimeDelta::seconds(seconds);
        database.warehouse.reap(now, STALE_AFTER).await.unwrap()
    };
    assert!(reap(0).await.is_empty());
    assert!(reap(60).await.is_empty());
    assert_eq!(reap(61).await, [run_id]);

    // Within the minute by which clocks may differ, it stands as it is.
    let soon = at(NOW) + TimeDelta::seconds(150);
    let run_id = database.running(owner, window("2026-03-01", "2026-03-02"), soon).await;
    assert!(reap(100).await.is_empty());
    assert!(reap(210).await.is_empty());
    assert_eq!(reap(211).await, [run_id]);
}

#[tokio::test]
async fn a_run_that_is_being_published_keeps_nobody_waiting() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let publication = publication(run_id, owner, at(NOW));
    let swap = || async {
        let late = at(NOW) + TimeDelta::hours(9);
        let reaped = database.warehouse.reap(late, STALE_AFTER);
        let overdue = database
            .warehouse
            .end_overdue(kindred_model::Job::Daily, late, Duration::from_secs(60));
        let looked = timeout(Duration::from_secs(20), async { (reaped.await, overdue.await) }).await;
        let (reaped, overdue) = looked.expect("nobody waits");
        assert_eq!((reaped.unwrap(), overdue.unwrap()), (vec![], vec![]));
        Ok::<_, crate::support::Never>(())
    };
    database.warehouse.publish(&publication, swap).await.unwrap();
    let run = database.warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Completed);
}

#[tokio::test]
async fn a_publication_whose_files_take_long_is_not_silent_meanwhile() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let swap = || async {
        tokio::time::sleep(Duration::from_secs(13)).await;
        let silence: f64 = database
            .one(
                "select extract(epoch from clock_timestamp() - max(state_change))::float8 from pg_stat_activity
                 where datname = current_database() and state = 'idle in transaction'",
            )
            .await;
        assert!(silence < 9.0, "{silence} s");
        Ok::<_, crate::support::Never>(())
    };
    let publication = publication(run_id, owner, at(NOW));
    database.warehouse.publish(&publication, swap).await.unwrap();
}
