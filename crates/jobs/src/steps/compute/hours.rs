//! What went on in each hour.

use kindred_engine::{Params, Value};
use kindred_model::Interval;
use kindred_warehouse::{HOURLY_METRICS, Scope};

use super::{Compute, Computed};
use crate::error::JobError;

impl Compute<'_> {
    /// The hours of these intervals.
    pub(super) async fn hourly_metrics(&self, hours: &[Interval]) -> Result<Option<Computed>, JobError> {
        if hours.is_empty() {
            return Ok(None);
        }
        let scope = Scope::Within(hours.to_vec());
        let mut computed = Computed::new("sessions/hourly_metrics", &HOURLY_METRICS, scope);
        for interval in hours {
            self.answer(&mut computed, &self.of_hours(*interval)).await?;
        }
        Ok(Some(computed))
    }

    /// The interval's days prune partitions, its ends decide.
    pub(super) fn of_hours(&self, interval: Interval) -> Params {
        let params = self.of_days(interval.days());
        let params = params.with("start", Value::Instant(Some(interval.start())));
        params.with("until", Value::Instant(Some(interval.end())))
    }
}
