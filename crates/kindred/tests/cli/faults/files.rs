//! Files of the lake that are replaced while somebody reads them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::gate::{Gate, Place};
use super::night::Night;
use super::round::Round;

/// Puts a copy of every file of a part of the lake into its place, as a run does that replaces partitions.
fn replace(round: &Round, part: &str) {
    for file in round.files().into_iter().filter(|file| file.starts_with(part)) {
        replace_one(&round.lake.join(&file), &round.lake.join(&file));
    }
}

fn replace_one(file: &Path, by: &Path) {
    let new = file.with_extension("new");
    fs::copy(by, &new).unwrap();
    fs::rename(&new, file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_files_are_replaced_while_it_reads_them_fails_rather_than_mix_them() {
    let night = Night::prepared().await;
    for (step, part) in [(1, "facts/"), (2, "kpi/")] {
        let round = night.round(&format!("replaced-{step}-{}", &part[..3])).await;
        let gate = Gate::at(Place::StepEnds(step), &round.pool).await;
        let run = tokio::spawn(round.run(&round.kindred));
        gate.reached().await;
        replace(&round, part);
        gate.open().await;
        let answer = run.await.unwrap().expect(1);
        let at = format!("{part} replaced after step {step}: {answer}");
        assert_eq!(round.status().await.as_deref(), Some("failed"), "{at}");
        assert_eq!(round.published().await, 0, "{at}");
        let again = "select count(*) from etl_job_runs where retry_at is not null";
        assert_eq!(round.count(again).await, 1, "it is tried again: {at}");
        night.ends_well(&round, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_replaced_by_others_between_two_runs_are_read_again_from_the_source() {
    let night = Night::prepared().await;
    let round = night.round("foreign").await;
    for part in ["facts/messages/", "facts/user_sessions/", "state/"] {
        let files = round.files();
        let mut files = files.iter().filter(|file| file.starts_with(part));
        let (Some(one), Some(other)) = (files.next(), files.next()) else {
            panic!("there are no two files in {part}");
        };
        replace_one(&round.lake.join(one), &round.lake.join(other));
    }
    night.ends_well(&round, "files were replaced by others").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_files_are_replaced_while_it_reads_them_answers_right_or_not_at_all() {
    let night = Night::prepared().await;
    let round = night.round("query").await;
    let sql = "select count(*) as n, count(distinct sender) as k from messages";
    let query = ["query", sql, "--format", "csv"];
    let right = round.kindred.run(&query).await.expect(0).out;
    let stop = Arc::new(AtomicBool::new(false));
    let replacing = std::thread::spawn({
        let (stop, lake) = (Arc::clone(&stop), round.lake.join("facts/messages"));
        move || {
            while !stop.load(Ordering::Relaxed) {
                for day in fs::read_dir(&lake).unwrap().map(|entry| entry.unwrap().path()) {
                    let file = day.join("part-0.parquet");
                    replace_one(&file, &file);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    });
    for _ in 0..12 {
        let answer = round.kindred.run(&query).await;
        match answer.code {
            Some(0) => assert_eq!(answer.out, right),
            _ => answer.expect(1).complains(&["replaced", "ask again"]),
        }
    }
    stop.store(true, Ordering::Relaxed);
    replacing.join().unwrap();
    assert_eq!(round.kindred.run(&query).await.expect(0).out, right);
}
