//! `run`, `backfill`, `migrate` and `check` on sources and a warehouse of the operator's own.

use crate::support::{DAY, Platform, Server, UNREACHABLE};

#[tokio::test]
async fn a_run_prints_what_stands_in_the_ledger_step_by_step() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    let answer = kindred.run(&["run", "daily", "--date", DAY]).await.expect(0);
    answer.says(&[
        "job       daily\n",
        "days      2026-03-10 to 2026-03-11 (exclusive)\n",
        "status    completed\n",
    ]);
    let run: Vec<_> = sqlx::query_as::<_, (String, i64, i64)>(
        "select 'run       ' || id, records_read, records_processed from etl_job_runs",
    )
    .fetch_all(platform.warehouse.pool())
    .await
    .unwrap();
    let [(id, read, computed)] = &run[..] else {
        panic!("{run:?}")
    };
    answer.says(&[
        id,
        &format!("read      {read} rows\n"),
        &format!("computed  {computed} rows\n"),
    ]);
    assert!(*read > 1_000 && *computed > 20, "{run:?}");
    let steps: Vec<_> = answer.out.lines().filter(|line| line.starts_with("  ")).collect();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(names, ["pull", "state", "compute", "check", "stage"], "{answer}");
    assert!(steps.iter().all(|step| step.ends_with(" ms")), "{answer}");

    // Nothing of a dry run is kept, and no day is computed that was not asked for.
    let dry = kindred
        .run(&[
            "run",
            "daily",
            "--from",
            "2026-03-11",
            "--to",
            "2026-03-13",
            "--dry-run",
        ])
        .await;
    dry.expect(0).says(&[
        "job       daily (dry run)\n",
        "days      2026-03-11 to 2026-03-13 (exclusive)\n",
    ]);
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 1);
}

#[tokio::test]
async fn a_run_without_a_date_computes_yesterday_and_today_so_far() {
    let platform = Platform::simulated().await;
    platform
        .kindred()
        .run(&["run", "daily"])
        .await
        .expect(0)
        .says(&["status    completed"]);
    let days = "select count(*) from daily_kpi_summaries where date in (current_date - 1, current_date)";
    assert_eq!(platform.count(days).await, 2, "or midnight has passed meanwhile");
}

#[tokio::test]
async fn a_backfill_computes_what_is_missing_and_nothing_twice() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    let backfill = ["backfill", "daily", "--from", "2026-03-08", "--to"];
    let with = |more: &[&'static str]| [&backfill[..], more].concat();
    kindred
        .run(&with(&["2026-03-11"]))
        .await
        .expect(0)
        .says(&["3 days in 1 runs"]);
    kindred
        .run(&with(&["2026-03-11"]))
        .await
        .expect(0)
        .says(&["0 days in 0 runs, 0 rows"]);
    kindred
        .run(&with(&["2026-03-12"]))
        .await
        .expect(0)
        .says(&["1 days in 1 runs"]);
    kindred
        .run(&with(&["2026-03-12", "--mode", "failed"]))
        .await
        .expect(0)
        .says(&["0 days"]);
    kindred
        .run(&with(&["2026-03-12", "--mode", "all"]))
        .await
        .expect(0)
        .says(&["4 days in 1 runs"]);
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 4);
}

#[tokio::test]
async fn migrating_twice_and_checking_find_everything_in_order() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    for _ in 0..2 {
        kindred
            .run(&["migrate"])
            .await
            .expect(0)
            .says(&["the warehouse's schema is up to date"]);
    }
    let answer = kindred.run(&["check"]).await.expect(0);
    answer.says(&[
        "warehouse",
        "lake",
        "source users",
        "source interactions",
        "source communications",
        "source moderation",
    ]);
    assert!(!answer.out.contains("MISTAKE"), "{answer}");
}

#[tokio::test]
async fn checking_lists_every_address_that_cannot_be_used_beside_what_is_in_order() {
    let platform = Platform::simulated().await;
    let odd = "postgresql://someone@localhost/somewhere?sslmode=odd";
    let kindred = platform.kindred().with("USER_SERVICE_DATABASE_URL", odd);
    let kindred = kindred.with("INTERACTION_SERVICE_DATABASE_URL", odd);
    kindred.run(&["check"]).await.expect(2).says(&[
        "MISTAKE  source users",
        "MISTAKE  source interactions",
        "ok       source communications",
        "MISTAKE  source events",
    ]);
}

#[tokio::test]
async fn an_optional_source_that_is_down_makes_a_run_partial_and_one_that_is_unset_does_not() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    let down = kindred.clone().with("MODERATION_SERVICE_DATABASE_URL", UNREACHABLE);
    let answer = down.run(&["run", "daily", "--date", DAY]).await.expect(0);
    answer.says(&["status    partial"]);
    answer.complains(&["kindred: published, but without the source moderation", "127.0.0.1:1"]);
    let answer = down
        .run(&["backfill", "daily", "--from", DAY, "--to", "2026-03-12"])
        .await
        .expect(0);
    answer.complains(&["kindred: published, but an optional source did not answer"]);

    let unset = kindred.without("MODERATION_SERVICE_DATABASE_URL");
    let answer = unset.run(&["run", "daily", "--date", DAY]).await.expect(0);
    answer.says(&["status    completed"]);
    assert!(!answer.err.contains("kindred: published"), "{answer}");
    let unknown = "select count(*) from daily_kpi_summaries where total_reports is null";
    assert_eq!(platform.count(unknown).await, 2);
}

#[tokio::test]
async fn a_run_that_is_stopped_ends_as_cancelled_and_publishes_nothing() {
    let platform = Platform::simulated().await;
    let run = ["run", "daily", "--from", "2026-01-01", "--to", "2026-03-15"];
    let running = Server::start_until(&platform.kindred(), &run, "run begins").await;
    let answer = running.stop().await.expect(1);
    answer.complains(&["kindred: the run was cancelled"]);
    let ledger = platform.ledger().await;
    assert_eq!(
        ledger.iter().map(|run| run.0.as_str()).collect::<Vec<_>>(),
        ["cancelled"]
    );
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 0);
}

#[tokio::test]
async fn a_run_over_hours_prints_them_and_a_backfill_stands_in_the_ledger_with_its_pieces() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    let run = kindred.run(&["run", "hourly", "--dry-run"]).await.expect(0);
    run.says(&["job       hourly (dry run)\n", "window    ", "Z (exclusive)\n"]);
    let week = kindred
        .run(&["run", "weekly", "--date", DAY, "--dry-run"])
        .await
        .expect(0);
    week.says(&["days      2026-03-02 to 2026-03-09 (exclusive)\n"]);

    let backfill = ["backfill", "daily", "--from", "2026-01-31", "--to", "2026-03-08"];
    kindred.run(&backfill).await.expect(0).says(&["36 days in 2 runs"]);
    let pieces = "select count(*) from etl_job_runs as piece join etl_job_runs as whole on piece.parent_id = whole.id
        where whole.backfill_mode = 'missing' and whole.status = 'completed' and piece.status = 'completed'
          and jsonb_array_length(whole.steps) = 3";
    assert_eq!(platform.count(pieces).await, 2);
}
