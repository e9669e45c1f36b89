//! Days whose mirror in the lake is not what the warehouse has recorded.

use super::*;

#[test]
fn days_whose_mirror_is_lost_are_made_again_for_their_tables_alone() {
    let demand = World::daily("2026-03-09")
        .unsettled(&REVENUE_METRICS, &["2026-02-02", "2026-02-20"])
        .unsettled(&CONVERSION_FUNNELS, &["2026-02-21"])
        .unsettled(&SESSION_WINDOWS, &["2026-02-22"])
        .demand();
    assert_eq!(shown(&demand.figures), ["2026-02-20", "2026-03-09"]);
    assert_eq!(shown(&demand.entries), ["2026-02-21", "2026-03-09"]);
    assert_eq!(shown(&demand.session_windows), ["2026-02-22", "2026-03-09"]);
}

#[test]
fn a_bucket_whose_mirror_is_lost_is_made_again_with_a_day_that_has_figures() {
    let mut world = World::daily("2026-03-09").unsettled(&ACTIVE_USER_BUCKETS, &["2026-02-16", "2026-03-02"]);
    for days in world.computed.values_mut() {
        days.retain(|computed| *computed >= day("2026-02-20"));
    }
    // With the few days between that day and the one that is asked for.
    assert_eq!(
        shown(&world.demand().figures),
        ["2026-02-20", "2026-03-02 to 2026-03-10 (exclusive)"]
    );
}
