//! Which entry dates the figures of `GET /kpis/funnel` are of.

use chrono::NaiveDate;
use kindred_model::DayWindow;
use kindred_warehouse::read::funnel::EntryDate;

use crate::window::{Range, ahead_of};

/// The computed entry dates, by what they count for.
#[derive(Debug)]
pub(super) struct Dates {
    /// Those of the window that count.
    pub(super) counted: Vec<NaiveDate>,
    /// Of these, those that are over.
    complete: Vec<NaiveDate>,
    /// Of the counted ones, how many are not mature.
    pub(super) immature: usize,
    /// The time before the window with which the complete ones are compared.
    pub(super) range: Range,
    /// Its dates, all of them complete; none when one of them was not computed in full.
    pub(super) before: Vec<NaiveDate>,
}

impl Dates {
    /// Of the computed dates of the window and before it, oldest first; of the mature ones alone, if only these are wanted.
    /// Those before `today` are over.
    pub(super) fn of(window: DayWindow, computed: &[EntryDate], matured: bool, today: NaiveDate) -> Self {
        let wanted: Vec<_> = computed.iter().filter(|entry| !matured || entry.is_mature).collect();
        let (before, counted) = wanted.split_at(wanted.partition_point(|entry| entry.date < window.from()));
        let complete: Vec<_> = dates(counted).take_while(|date| *date < today).collect();
        let (from, range) = ahead_of(window, complete.len());
        let before: Vec<_> = dates(before).filter(|date| from <= *date && *date < today).collect();
        Self {
            counted: dates(counted).collect(),
            immature: counted.iter().filter(|entry| !entry.is_mature).count(),
            range,
            before: if before.len() == complete.len() {
                before
            } else {
                Vec::new()
            },
            complete,
        }
    }

    /// The dates that means are of: the complete ones. A fresh installation has none yet: the partial one stands in for
    /// them.
    pub(super) fn averaged(&self) -> &[NaiveDate] {
        if self.averages_partial() {
            &self.counted
        } else {
            &self.complete
        }
    }

    pub(super) fn averages_partial(&self) -> bool {
        self.complete.is_empty() && !self.counted.is_empty()
    }

    /// Whether people may still enter on one of the dates that count.
    pub(super) fn are_partial(&self) -> bool {
        self.complete.len() < self.counted.len()
    }
}

fn dates(entries: &[&EntryDate]) -> impl Iterator<Item = NaiveDate> {
    entries.iter().map(|entry| entry.date)
}
