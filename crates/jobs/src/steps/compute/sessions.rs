//! What happened in sessions, and how long they lasted.

use kindred_model::DayWindow;
use kindred_warehouse::{SESSION_ANALYTICS, SESSION_WINDOWS};

use super::{Compute, Computed};
use crate::error::JobError;

impl Compute<'_> {
    /// The sessions that started on these days.
    pub(super) async fn session_analytics(&self, windows: &[DayWindow]) -> Result<Option<Computed>, JobError> {
        self.days("sessions/session_analytics", &SESSION_ANALYTICS, windows)
            .await
    }

    /// The sessions of the windows that end with these days.
    pub(super) async fn session_windows(&self, windows: &[DayWindow]) -> Result<Option<Computed>, JobError> {
        self.days("sessions/session_windows", &SESSION_WINDOWS, windows).await
    }
}
