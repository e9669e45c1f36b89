//! Which days the changed rows of a pull affect.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use chrono::{Days, NaiveDate};
use futures::TryStreamExt;
use kindred_engine::{EngineError, Session};
use kindred_extract::fact_schema;
use kindred_lake::{Dataset, Snapshot, StagedPartition, read_content_hash};
use kindred_model::{Fact, Reach};

use super::pull::Known;
use crate::Platform;
use crate::error::JobError;

/// The dates of the changed rows' instants, old values and new, by fact.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    dates: BTreeMap<Fact, BTreeSet<NaiveDate>>,
    /// The partitions of sessions that were replaced, of whatever age: state is rebuilt from them.
    sessions: BTreeSet<NaiveDate>,
}

impl Changes {
    /// The computed days from `oldest` to `today` on which a changed row may have an effect.
    pub(crate) fn restated(
        &self,
        oldest: NaiveDate,
        today: NaiveDate,
        computed: &BTreeSet<NaiveDate>,
    ) -> BTreeSet<NaiveDate> {
        let mut days = BTreeSet::new();
        for (fact, dates) in &self.dates {
            for &date in dates.range(oldest..) {
                let last = match fact.reach() {
                    Reach::Days(reach) => today.min(date + Days::new(reach)),
                    Reach::Open => today,
                };
                if date <= last {
                    days.extend(computed.range(date..=last));
                }
            }
        }
        days
    }

    /// The affected days before a day.
    pub(crate) fn before(&self, day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let all: BTreeSet<_> = self
            .dates
            .values()
            .flatten()
            .copied()
            .filter(|date| *date < day)
            .collect();
        all.into_iter()
    }

    /// The days of the sessions' partitions that were replaced.
    pub(crate) const fn sessions(&self) -> &BTreeSet<NaiveDate> {
        &self.sessions
    }
}

/// Notes what the staged partitions of a fact change, against those that they replace.
pub(crate) async fn note(
    platform: &Platform,
    fact: Fact,
    staged: &[StagedPartition],
    published: &Snapshot,
    known: &Known,
    computed: &BTreeSet<NaiveDate>,
    changes: &mut Changes,
) -> Result<(), JobError> {
    if fact == Fact::UserSessions {
        changes.sessions.extend(staged.iter().map(|file| file.day));
    }
    // Where no figure stands yet, as on a first run, nothing can be restated.
    if staged.is_empty() || computed.is_empty() {
        return Ok(());
    }
    let dataset = Dataset::facts(fact.as_str());
    let (mut before, mut after) = (Snapshot::default(), Snapshot::default());
    for file in staged {
        after.overlay(file);
        let Some(old) = published.file(&dataset, file.day) else {
            continue;
        };
        // A file that the warehouse does not know was swapped in by a run which did not live to say so: what it
        // changed was never computed, so that all of its rows count as new.
        let hash = read_content_hash(&platform.lake, old).await?;
        if hash.is_some() && hash.as_deref() == known.partition(&dataset, file.day).map(|known| &*known.content_hash) {
            before.insert(dataset.clone(), old.clone());
        }
    }
    let session = platform.engine.session(&platform.lake, Snapshot::default());
    let schema = fact_schema(fact);
    session.register_files("before", before.files(&dataset), &schema)?;
    session.register_files("after", after.files(&dataset), &schema)?;
    changes
        .dates
        .entry(fact)
        .or_default()
        .extend(days_of_difference(&session, fact).await?);
    Ok(())
}

/// The dates of the instants of the rows that are in one of the tables `before` and `after` only.
async fn days_of_difference(session: &Session, fact: Fact) -> Result<BTreeSet<NaiveDate>, EngineError> {
    let instants = fact
        .instants()
        .iter()
        .map(|column| format!("select cast({column} as date) as day from changed"));
    let sql = format!(
        "with changed as (
             (select * from before except select * from after)
             union all
             (select * from after except select * from before)
         )
         select distinct day from ({}) where day is not null",
        instants.collect::<Vec<_>>().join(" union all ")
    );
    let failed = |error| EngineError::Plan {
        query: format!("changes of {fact}"),
        source: Box::new(error),
    };
    let batches: Vec<_> = session.sql(&sql).await?.try_collect().await.map_err(failed)?;
    let mut days = BTreeSet::new();
    for batch in &batches {
        let column = batch.column(0).as_primitive::<Date32Type>();
        days.extend((0..column.len()).filter_map(|row| Date32Type::to_naive_date_opt(column.value(row))));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn changed(fact: Fact, date: &str) -> Changes {
        Changes {
            dates: BTreeMap::from([(fact, BTreeSet::from([day(date)]))]),
            sessions: BTreeSet::new(),
        }
    }

    fn computed() -> BTreeSet<NaiveDate> {
        (0..60).map(|n| day("2026-01-01") + Days::new(n)).collect()
    }

    #[test]
    fn a_session_restates_its_day_and_the_30_after_it() {
        let days =
            changed(Fact::UserSessions, "2026-01-20").restated(day("2026-01-10"), day("2026-02-25"), &computed());
        assert_eq!(
            (days.first(), days.last(), days.len()),
            (Some(&day("2026-01-20")), Some(&day("2026-02-19")), 31)
        );
    }

    #[test]
    fn a_payment_restates_every_day_up_to_today_and_no_later_one() {
        let days = changed(Fact::Payments, "2026-01-20").restated(day("2026-01-10"), day("2026-02-01"), &computed());
        assert_eq!(
            (days.first(), days.last()),
            (Some(&day("2026-01-20")), Some(&day("2026-02-01")))
        );
    }

    #[test]
    fn what_is_too_old_waits_and_is_named() {
        let changes = changed(Fact::Swipes, "2026-01-05");
        assert!(
            changes
                .restated(day("2026-01-10"), day("2026-02-14"), &computed())
                .is_empty()
        );
        assert_eq!(
            changes.before(day("2026-01-10")).collect::<Vec<_>>(),
            [day("2026-01-05")]
        );
    }

    #[test]
    fn days_without_figures_are_not_restated() {
        let only = BTreeSet::from([day("2026-01-21")]);
        let days = changed(Fact::UserSessions, "2026-01-20").restated(day("2026-01-10"), day("2026-02-14"), &only);
        assert_eq!(days, only);
    }
}
