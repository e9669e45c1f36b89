use super::*;

#[test]
fn what_was_withheld_is_computed_though_nobody_asks_for_it() {
    let mut world = World::ticked(Job::Daily, NIGHT);
    let withheld = day("2026-03-02");
    world.withheld.insert(withheld);
    let demand = world.demand();
    for windows in [
        &demand.figures,
        &demand.followed,
        &demand.entries,
        &demand.funnel_windows,
    ] {
        assert!(
            windows.iter().any(|window| window.days().any(|day| day == withheld)),
            "{demand:?}"
        );
    }
}
