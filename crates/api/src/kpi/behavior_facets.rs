//! The events of `GET /kpis/user-behavior` by name, by platform and by hour of the day.

use std::cmp::Reverse;

use kindred_warehouse::read::user_behavior::{ALL_EVENTS, EventCount, Facet};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::figure::Figure;

/// Events of a name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserBehaviorEvent)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventShare {
    /// The name.
    pub(super) event_name: String,
    /// How many happened.
    count: i64,
    /// How many persons they are of.
    unique_users: i64,
}

/// Events on a platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserBehaviorPlatform)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlatformShare {
    /// The platform; `unknown` where the source has none.
    platform: String,
    /// How many happened on it.
    count: i64,
    /// Their share of all, in per cent.
    percentage: Option<Figure>,
    /// How many persons they are of.
    unique_users: i64,
}

/// When it happens.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemporalPatterns {
    /// The hours of the day, 0 to 23 UTC, each over all days of the window. Empty in an empty warehouse.
    hourly_pattern: Vec<HourOfDay>,
    /// The hour with most events, of equal ones the earliest; null when there are none.
    peak_hour: Option<HourOfDay>,
}

/// An hour of the day.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HourOfDay {
    /// Which one, UTC.
    hour: u8,
    /// Events that happened in it.
    event_count: i64,
    /// Persons that they are of.
    unique_users: i64,
}

/// The rows of a window, of all events or of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts<'a> {
    rows: &'a [EventCount],
    event: Option<&'a str>,
}

impl<'a> Counts<'a> {
    pub(super) const fn new(rows: &'a [EventCount], event: Option<&'a str>) -> Self {
        Self { rows, event }
    }

    /// How many events, and how many persons.
    pub(super) fn whole(self) -> (i64, i64) {
        let row = self.by(Facet::All).next();
        row.map_or((0, 0), |row| (row.event_count, row.unique_users))
    }

    /// The events by name, the most frequent first.
    pub(super) fn events(self) -> Vec<EventShare> {
        let named = self
            .rows
            .iter()
            .filter(|row| row.facet == Facet::All && self.counts_alone(row));
        let mut events: Vec<_> = named
            .map(|row| EventShare {
                event_name: row.event_name.clone(),
                count: row.event_count,
                unique_users: row.unique_users,
            })
            .collect();
        events.sort_unstable_by(|one, next| {
            (Reverse(one.count), &one.event_name).cmp(&(Reverse(next.count), &next.event_name))
        });
        events
    }

    /// The events by platform, the most frequent first.
    pub(super) fn platforms(self) -> Vec<PlatformShare> {
        let (total, _) = self.whole();
        let mut platforms: Vec<_> = self
            .by(Facet::Platform)
            .map(|row| PlatformShare {
                platform: row.facet_value.clone(),
                count: row.event_count,
                percentage: Figure::rate(row.event_count, total),
                unique_users: row.unique_users,
            })
            .collect();
        platforms.sort_unstable_by(|one, next| {
            (Reverse(one.count), &one.platform).cmp(&(Reverse(next.count), &next.platform))
        });
        platforms
    }

    /// The events by hour of the day; an hour in which nothing happens has no row, and is 0.
    pub(super) fn hours(self) -> TemporalPatterns {
        let hours: Vec<_> = (0..24).map(|hour| self.hour(hour)).collect();
        let busy = hours.iter().filter(|hour| hour.event_count > 0);
        TemporalPatterns {
            peak_hour: busy.min_by_key(|hour| (Reverse(hour.event_count), hour.hour)).copied(),
            hourly_pattern: hours,
        }
    }

    fn hour(self, hour: u8) -> HourOfDay {
        let row = self.by(Facet::Hour).find(|row| row.facet_value.parse() == Ok(hour));
        HourOfDay {
            hour,
            event_count: row.map_or(0, |row| row.event_count),
            unique_users: row.map_or(0, |row| row.unique_users),
        }
    }

    /// The rows, by a facet, of what is asked for.
    fn by(self, facet: Facet) -> impl Iterator<Item = &'a EventCount> {
        let name = self.event.unwrap_or(ALL_EVENTS);
        self.rows
            .iter()
            .filter(move |row| row.facet == facet && row.event_name == name)
    }

    /// Whether the row is of one event, and that is asked for.
    fn counts_alone(self, row: &EventCount) -> bool {
        row.event_name != ALL_EVENTS && self.event.is_none_or(|event| row.event_name == event)
    }
}

impl EventShare {
    pub(super) fn table(events: &[Self]) -> Table {
        Table::default()
            .column("eventName", events.iter().map(|event| Some(event.event_name.as_str())))
            .column("count", events.iter().map(|event| Some(event.count)))
            .column("uniqueUsers", events.iter().map(|event| Some(event.unique_users)))
    }
}
