//! What has not changed is not written again.

use kindred_model::RunStatus;

use super::{FROM, TOMORROW, YESTERDAY, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_any_day_again_changes_no_row_and_no_file() {
    let world = world().await;
    let (rows, files) = (world.versions().await, world.lake_files());
    assert!(
        rows.len() > 1_500 && files.len() > 300,
        "{} rows, {} files",
        rows.len(),
        files.len()
    );

    world.wait(5);
    for (from, to) in [
        (YESTERDAY, TOMORROW),
        ("2026-02-10", "2026-02-11"),
        (FROM, "2026-02-02"),
        ("2026-02-27", "2026-03-04"),
    ] {
        let run = world.run(from, to).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(run.status, RunStatus::Completed);
        assert!(run.records_processed > 0);
        assert!(world.versions().await == rows, "the run of {from} to {to} wrote rows");
        assert!(world.lake_files() == files, "the run of {from} to {to} wrote files");
    }
    world
        .backfill(FROM, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(world.versions().await == rows, "the backfill wrote rows");
    assert!(world.lake_files() == files, "the backfill wrote files");
    assert_eq!(
        world.ask("select count(*)::text from kpi_revisions").await.as_deref(),
        Some("0")
    );
    world.assert_sound().await;
}
