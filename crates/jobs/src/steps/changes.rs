//! Which days the changed rows of a pull affect.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use kindred_extract::fact_schema;
use kindred_lake::{Snapshot, StagedPartition};
use kindred_model::{Fact, Reach};

use super::answers;
use super::datasets::facts;
use super::known::Known;
use crate::Platform;
use crate::error::JobError;

/// The dates of changed rows' instants, old values and new, by fact.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    dates: BTreeMap<Fact, BTreeSet<NaiveDate>>,
}

impl Changes {
    /// Adds dates of a fact.
    pub(crate) fn note(&mut self, fact: Fact, dates: impl IntoIterator<Item = NaiveDate>) {
        self.dates.entry(fact).or_default().extend(dates);
    }

    /// Every fact and date.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fact, NaiveDate)> {
        let each = |(fact, dates): (&Fact, &BTreeSet<NaiveDate>)| {
            let fact = *fact;
            dates.iter().map(move |date| (fact, *date)).collect::<Vec<_>>()
        };
        self.dates.iter().flat_map(each)
    }

    /// The dates of some facts.
    pub(crate) fn of(&self, facts: &[Fact]) -> BTreeSet<NaiveDate> {
        let wanted = self.iter().filter(|(fact, _)| facts.contains(fact));
        wanted.map(|(_, date)| date).collect()
    }

    /// The computed days from `oldest` to `today` on which a changed row may have an effect.
    pub(crate) fn restated(
        &self,
        oldest: NaiveDate,
        today: NaiveDate,
        computed: &BTreeSet<NaiveDate>,
    ) -> BTreeSet<NaiveDate> {
        let mut days = BTreeSet::new();
        for (fact, date) in self.iter().filter(|(_, date)| *date >= oldest) {
            let last = match fact.reach() {
                Reach::Days(reach) => today.min(date + Days::new(reach)),
                Reach::Open => today,
            };
            if date <= last {
                days.extend(computed.range(date..=last));
            }
        }
        days
    }

    /// The computed days before `oldest` that changed: they are too old to be restated, and wait for a backfill.
    pub(crate) fn late(&self, oldest: NaiveDate, computed: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
        let days = self.iter().map(|(_, date)| date);
        days.filter(|date| *date < oldest && computed.contains(date)).collect()
    }
}

/// The published files that a fact's staged partitions replace, as far as the warehouse knows them.
///
/// One that it does not know was swapped in by a run which did not live to say so: what that changed was never
/// computed, so that all of the new file's rows count as new.
pub(crate) async fn known_files(
    platform: &Platform,
    fact: Fact,
    staged: &[StagedPartition],
    published: &Snapshot,
    known: &Known,
) -> Result<Snapshot, JobError> {
    let dataset = facts(fact);
    let mut files = Snapshot::default();
    for day in staged.iter().map(|file| file.partition.day) {
        let Some(old) = published.file(&dataset, day) else {
            continue;
        };
        if known.holds(&platform.lake, &dataset, old).await? {
            files.insert(dataset.clone(), old.clone());
        }
    }
    Ok(files)
}

/// The dates of the instants of the rows that are in the old files only, or in the staged ones only.
pub(crate) async fn days_of_difference(
    platform: &Platform,
    fact: Fact,
    before: &Snapshot,
    staged: &[StagedPartition],
) -> Result<BTreeSet<NaiveDate>, JobError> {
    if staged.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut after = Snapshot::default();
    staged.iter().for_each(|file| after.overlay(file));
    let (dataset, schema) = (facts(fact), fact_schema(fact));
    // All rows of a day that comes for the first time are new: there is nothing to compare them with.
    let (replacing, first): (Vec<_>, Vec<_>) = after
        .files(&dataset)
        .partition(|file| before.file(&dataset, file.partition).is_some());
    let session = platform.engine.session(&platform.lake, Snapshot::default());
    session.register_files("before", before.files(&dataset), &schema)?;
    session.register_files("after", replacing.into_iter(), &schema)?;
    session.register_files("added", first.into_iter(), &schema)?;
    let instants = fact.instants().iter().map(|column| format!("cast({column} as date)"));
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| format!("\"{}\"", field.name()))
        .collect();
    let columns = columns.join(", ");
    // Equal rows are counted: one swipe more of the same instant is a change too.
    let sql = format!(
        "with changed as (
             select {columns}
             from (
                 select {columns}, 1 as more from after
                 union all
                 select {columns}, -1 from before
             )
             group by {columns}
             having sum(more) <> 0
             union all
             select {columns} from added
         )
         select distinct day
         from (select unnest(make_array({})) as day from changed)
         where day is not null",
        instants.collect::<Vec<_>>().join(", ")
    );
    let changed = answers::rows(&session, &format!("changes of {fact}"), &sql).await?;
    Ok(answers::days(&changed))
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
            changes.late(day("2026-01-10"), &computed()),
            BTreeSet::from([day("2026-01-05")])
        );
    }

    #[test]
    fn days_without_figures_are_not_restated() {
        let only = BTreeSet::from([day("2026-01-21")]);
        let days = changed(Fact::UserSessions, "2026-01-20").restated(day("2026-01-10"), day("2026-02-14"), &only);
        assert_eq!(days, only);
    }
}
