//! A lake that cannot be written: a path that is no folder, and a disk without space.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{DAY, Platform, SmallDisk};

const RUN: &[&str] = &["run", "daily", "--date", DAY];

#[tokio::test]
async fn a_lake_folder_that_cannot_be_made_is_named_with_its_setting() {
    let platform = Platform::simulated().await;
    let file = platform.home.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let kindred = platform.kindred().with("LAKE_URL", file.to_str().unwrap());
    kindred
        .run(RUN)
        .await
        .expect(1)
        .complains(&["lake folder", file.to_str().unwrap(), "LAKE_URL"]);
    kindred
        .run(&["check"])
        .await
        .expect(2)
        .says(&["MISTAKE  lake", "LAKE_URL"]);

    let kindred = platform.kindred().with("LAKE_URL", "ftp://somewhere/lake");
    kindred
        .run(RUN)
        .await
        .expect(2)
        .complains(&["ftp://somewhere/lake", "s3://", "LAKE_URL"]);
}

#[tokio::test]
async fn a_full_disk_fails_the_run_publishes_nothing_and_is_no_obstacle_once_there_is_space() {
    let platform = Platform::simulated().await;
    let Some(disk) = SmallDisk::mount(&platform.home.path().join("disk"), "256k") else {
        return;
    };
    let lake = disk.folder().join("lake");
    let kindred = platform.kindred().with("LAKE_URL", lake.to_str().unwrap());
    kindred.run(RUN).await.expect(1).complains(&[
        "lake",
        "No space left on device",
        "check the store's space",
        "LAKE_URL",
    ]);
    let ledger = platform.ledger().await;
    assert!(
        matches!(&ledger[..], [(status, Some(why))] if status == "failed" && why.contains("No space left")),
        "{ledger:?}"
    );
    for table in ["daily_kpi_summaries", "lake_partitions", "source_watermarks"] {
        assert_eq!(
            platform.count(&format!("select count(*) from {table}")).await,
            0,
            "{table}"
        );
    }
    assert_eq!(
        files(&lake),
        Vec::<PathBuf>::new(),
        "what was staged is removed, which frees the disk again"
    );

    disk.remount("16m");
    kindred.run(RUN).await.expect(0).says(&["status    completed"]);
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 1);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let (folders, mut found): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}
