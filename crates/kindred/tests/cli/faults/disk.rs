//! A disk that becomes full in the course of a night: the lake's, and the warehouse's.

use kindred_embedded_pg::{Options, start};

use super::night::Night;
use crate::support::SmallDisk;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_anywhere_in_a_run_loses_nothing_and_the_next_run_with_space_succeeds() {
    let night = Night::prepared().await;
    let home = crate::support::home();
    for spare in [0, 200] {
        let Some(disk) = SmallDisk::mount(&home.path().join(format!("spare-{spare}")), "64m") else {
            return;
        };
        let round = night.round_on(disk.folder()).await;
        disk.remount(&format!("{}k", disk.used() + spare));
        let before = round.files();
        let answer = round.run(&round.kindred).await.expect(1);
        answer.complains(&["No space left on device", "LAKE_URL"]);
        let at = format!("{spare} KiB were free");
        assert_eq!(round.status().await.as_deref(), Some("failed"), "{at}");
        assert_eq!(round.published().await, 0, "{at}");
        assert_eq!(
            round.files(),
            before,
            "{at}: what was staged is removed, which frees the disk again"
        );
        disk.remount("64m");
        night.ends_well(&round, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_whose_disk_is_full_publishes_nothing_and_with_space_it_does() {
    let night = Night::prepared().await;
    let home = crate::support::home();
    let Some(disk) = SmallDisk::mount(&home.path().join("disk"), "512m") else {
        return;
    };
    let own = start(Options::new(disk.folder().join("own"))).await.unwrap();
    own.create_database("warehouse").await.unwrap();
    let round = night.round_at(&own.url("warehouse")).await;
    // Rows that are noted before the end have room, the log too: what is published has none.
    round.alter("checkpoint").await;
    let before = round.files();
    disk.remount(&format!("{}k", disk.used()));
    let answer = round.run(&round.kindred).await.expect(1);
    answer.complains(&["No space left on device", "warehouse"]);
    let at = "the warehouse's disk was full";
    assert_eq!(round.published().await, 0, "{at}");
    assert_eq!(round.files(), before, "{at}: what was staged is removed");
    disk.remount("512m");
    round.time_passes().await;
    night.ends_well(&round, at).await;
}
