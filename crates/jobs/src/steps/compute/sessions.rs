//! What happened in sessions, and how long they lasted.

use kindred_model::DayWindow;
use kindred_warehouse::{SESSION_ANALYTICS, SESSION_WINDOWS, Scope};

use super::{Compute, Computed};
use crate::error::JobError;
use crate::steps::spool::Spooled;

impl Compute<'_> {
    /// The sessions that started on these days.
    pub(super) async fn session_analytics(&self, windows: &[DayWindow]) -> Result<Option<Spooled>, JobError> {
        if windows.is_empty() {
            return Ok(None);
        }
        let (query, scope) = ("sessions/session_analytics", Scope::Days(windows.to_vec()));
        let params = windows.iter().map(|window| self.of_days(*window)).collect();
        let spooled = Spooled::compute(self.work, self.session, query, &SESSION_ANALYTICS, scope, params);
        Ok(Some(spooled.await?))
    }

    /// The sessions of the windows that end with these days.
    pub(super) async fn session_windows(&self, windows: &[DayWindow]) -> Result<Option<Computed>, JobError> {
        self.days("sessions/session_windows", &SESSION_WINDOWS, windows).await
    }
}
