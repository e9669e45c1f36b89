//! Retention by the week of registration.

use kindred_engine::Value;
use kindred_warehouse::{RETENTION_COHORTS, Scope};

use super::{Compute, Computed};
use crate::demand::Cohorts;
use crate::error::JobError;

impl Compute<'_> {
    /// Every cell of these cohorts up to the last week.
    pub(super) async fn cohorts(&self, cohorts: Option<Cohorts>) -> Result<Option<Computed>, JobError> {
        let Some(Cohorts { first, last_week }) = cohorts else {
            return Ok(None);
        };
        // Older cells of the same cohorts' weeks stay.
        let mut computed = Computed::new("retention/retention_cohorts", &RETENTION_COHORTS, Scope::Keys);
        let params = self.common.clone().with("first_cohort", Value::Day(first));
        let params = params.with("last_week", Value::Day(last_week));
        self.answer(&mut computed, &params).await?;
        Ok(Some(computed))
    }
}
