//! The sessions of `GET /kpis/sessions` by how they ended and by what they ran on.

use std::cmp::Reverse;
use std::iter::Sum;

use chrono::NaiveDate;
use kindred_warehouse::read::segments::SegmentDay;
use kindred_warehouse::read::sessions::{SessionDay, SessionExit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::figure::Figure;

/// A way for a session to end. They add up to `totalSessions`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionsExitReason)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExitReason {
    /// What the source calls it; `unknown` when a session ended and the source does not say how, `open` while it has not
    /// ended.
    exit_reason: String,
    /// How many sessions ended so.
    sessions: i64,
    /// Their share of all sessions, the open ones included, in per cent.
    percentage: Option<Figure>,
}

/// What sessions ran on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionsPlatform)]
#[serde(rename_all = "camelCase")]
pub(super) struct Platform {
    /// Its name; `unknown` where the source has none.
    platform: String,
    /// How many sessions ran on it.
    sessions: i64,
    /// Their share of all sessions, in per cent.
    percentage: Option<Figure>,
    /// Mean length of its ended sessions, of complete days as in the summary, in seconds; null when there are none.
    average_session_duration_seconds: Option<Figure>,
}

impl ExitReason {
    /// In the order in which they come.
    pub(super) fn all(exits: Vec<SessionExit>) -> Vec<Self> {
        let all: i64 = exits.iter().map(|exit| exit.sessions).sum();
        let shares = exits.into_iter().map(|exit| Self {
            percentage: Figure::rate(exit.sessions, all),
            exit_reason: exit.exit_reason,
            sessions: exit.sessions,
        });
        shares.collect()
    }
}

impl Platform {
    /// Those with a session, from their days, which come by platform. Lengths are of the days that `is_averaged`.
    pub(super) fn all(days: &[SegmentDay], is_averaged: impl Fn(NaiveDate) -> bool) -> Vec<Self> {
        let all: i64 = days.iter().map(|day| day.total_sessions).sum();
        let platforms = days.chunk_by(|one, next| one.value == next.value);
        let shares = platforms.map(|days| {
            let sessions: i64 = days.iter().map(|day| day.total_sessions).sum();
            let averaged = days.iter().filter(|day| is_averaged(day.date));
            let lengths: Lengths = averaged.map(Lengths::of_segment).sum();
            Self {
                platform: days.first().map(|day| day.value.clone()).unwrap_or_default(),
                sessions,
                percentage: Figure::rate(sessions, all),
                average_session_duration_seconds: lengths.mean_seconds(),
            }
        });
        let mut shares: Vec<_> = shares.filter(|share| share.sessions > 0).collect();
        shares.sort_by(|one, other| {
            let order = |share: &Self| Reverse(share.sessions);
            order(one)
                .cmp(&order(other))
                .then_with(|| one.platform.cmp(&other.platform))
        });
        shares
    }
}

/// How long sessions that have ended were: the parts of a mean.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Lengths {
    closed: i64,
    seconds: f64,
}

impl Lengths {
    pub(super) const fn of_day(day: &SessionDay) -> Self {
        Self {
            closed: day.closed_sessions,
            seconds: day.session_seconds,
        }
    }

    const fn of_segment(day: &SegmentDay) -> Self {
        Self {
            closed: day.closed_sessions,
            seconds: day.session_seconds,
        }
    }

    /// The mean in seconds; none when no session has ended.
    pub(super) fn mean_seconds(self) -> Option<Figure> {
        Figure::duration(self.seconds / self.closed as f64)
    }

    /// The same in minutes.
    pub(super) fn mean_minutes(self) -> Option<Figure> {
        Figure::duration(self.seconds / self.closed as f64 / 60.0)
    }
}

impl Sum for Lengths {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            closed: sum.closed + one.closed,
            seconds: sum.seconds + one.seconds,
        })
    }
}
