//! Events for the warehouse, and what people did in the timeframes that end with an hour.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use kindred_engine::Value;
use kindred_model::{Granularity, Instant, Interval};
use kindred_warehouse::{BEHAVIOR_ROLLUPS, Scope, USER_BEHAVIOR_EVENTS};

use super::{Compute, Computed};
use crate::error::JobError;
use crate::steps::spool::Spooled;

/// The least time between two instants.
const TICK: TimeDelta = TimeDelta::microseconds(1);

impl Compute<'_> {
    /// The events of these hours.
    pub(super) async fn events(&self, hours: &[Interval]) -> Result<Option<Spooled>, JobError> {
        if hours.is_empty() {
            return Ok(None);
        }
        let (query, scope) = ("behavior/user_behavior_events", Scope::Within(hours.to_vec()));
        let params = hours.iter().map(|interval| self.of_hours(*interval)).collect();
        let spooled = Spooled::compute(self.work, self.session, query, &USER_BEHAVIOR_EVENTS, scope, params);
        Ok(Some(spooled.await?))
    }

    /// The timeframes that end with these instants. Of a day, one instant is kept: its end, or, of the current day, the
    /// last closed hour; those that were rolled up before on its way vanish.
    pub(super) async fn rollups(&self, instants: &BTreeSet<Instant>) -> Result<Option<Computed>, JobError> {
        if instants.is_empty() {
            return Ok(None);
        }
        let scope = Scope::Within(instants.iter().map(|at| stands_for(*at)).collect());
        let mut computed = Computed::new("behavior/behavior_rollups", &BEHAVIOR_ROLLUPS, scope);
        for at in instants {
            let days = Interval::new(*at - TimeDelta::days(90), *at).expect("90 days").days();
            let params = self.of_days(days).with("rollup_as_of", Value::Instant(Some(*at)));
            self.answer(&mut computed, &params).await?;
        }
        Ok(Some(computed))
    }
}

/// The instants of the day that ends with, or holds, this one: after the last midnight, up to the next one.
fn stands_for(at: Instant) -> Interval {
    let day = Interval::bucket(Granularity::Daily, at - TICK);
    Interval::new(day.start() + TICK, day.end() + TICK).expect("a day long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_midnight_stands_for_the_day_that_it_ends() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let midnight = stands_for(at("2026-01-02T00:00:00Z"));
        assert!(midnight.contains(at("2026-01-02T00:00:00Z")) && midnight.contains(at("2026-01-01T23:00:00Z")));
        assert!(!midnight.contains(at("2026-01-01T00:00:00Z")));
        assert_eq!(stands_for(at("2026-01-01T05:00:00Z")), midnight);
    }
}
