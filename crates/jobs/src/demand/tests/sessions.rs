//! What runs of the sessions job compute.

use super::*;

#[test]
fn sessions_are_analysed_again_on_their_own_day_and_the_one_before_what_happened_in_them() {
    let demand = World::ticked(Job::Sessions, MORNING)
        .changed(Fact::SessionTelemetry, "2026-03-01")
        .changed(Fact::Matches, "2026-03-05")
        .changed(Fact::Swipes, "2026-03-07")
        .demand();
    assert_eq!(
        shown(&demand.sessions),
        [
            "2026-02-28 to 2026-03-03 (exclusive)",
            "2026-03-04 to 2026-03-06 (exclusive)",
            "2026-03-10"
        ],
        "the clock of a report may be a day off"
    );
    assert_eq!(shown(&demand.hours), ["2026-03-10T08:00Z to 2026-03-10T10:00Z"]);
}

#[test]
fn sessions_that_come_late_to_a_day_on_which_nobody_came_are_analysed() {
    let mut world = World::ticked(Job::Sessions, MORNING)
        .changed(Fact::UserSessions, "2026-03-07")
        .changed(Fact::UserSessions, "2026-03-04")
        .changed(Fact::UserSessions, "2026-03-12");
    let computed = world.computed.get_mut(SESSION_ANALYTICS.name).unwrap();
    *computed = ["2026-03-06", "2026-03-08", "2026-03-09"].map(day).into();
    assert_eq!(
        shown(&world.demand().sessions),
        ["2026-03-07", "2026-03-10"],
        "no day before the first one that was computed, and none to come"
    );
}
