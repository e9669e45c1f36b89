//! How far people come in each funnel: who entered first, then the rows of their dates and of longer windows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use kindred_engine::Params;
use kindred_lake::{Dataset, StagedPartition};
use kindred_model::{DayWindow, Fact};
use kindred_warehouse::{CONVERSION_FUNNELS, FUNNEL_WINDOWS, Scope};

use super::{Compute, Computed};
use crate::FunnelSpec;
use crate::demand::Demand;
use crate::error::JobError;
use crate::steps::datasets::{FUNNEL_PEOPLE, state_schema, state_sort};
use crate::steps::shape::by_day;
use crate::steps::state::{Rebuild, first_day};

const PEOPLE: &str = "funnel/funnel_people";

/// Entry dates of the longest window, the one that it ends with included.
const LONGEST_WINDOW_DAYS: u64 = 90;

/// Entry dates that one plan follows: what it answers is held in memory.
const DAYS_PER_PLAN: u64 = 31;

/// The table of the steps of the funnel that is being computed.
const STEPS: &str = "funnel_steps";

impl Compute<'_> {
    /// Both tables, and the people of the entry dates, which later runs count from.
    pub(super) async fn funnels(
        &self,
        rebuild: &Rebuild<'_>,
        demand: &Demand,
    ) -> Result<(Vec<Computed>, Vec<StagedPartition>), JobError> {
        let (entries, windows) = (&demand.entries, &demand.funnel_windows);
        if entries.is_empty() && windows.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let dataset = Dataset::state(FUNNEL_PEOPLE);
        let mut people = Vec::new();
        for window in &entered(rebuild, &dataset, demand).await? {
            people.extend(self.people(rebuild, &dataset, *window).await?);
        }
        let mut snapshot = rebuild.snapshot.clone();
        people.iter().for_each(|file| snapshot.overlay(file));
        let files = snapshot.files(&dataset);
        self.session
            .register_partitions(FUNNEL_PEOPLE, &dataset, files, &state_schema(FUNNEL_PEOPLE))?;

        let mut dates = Computed::new(
            "funnel/conversion_funnels",
            &CONVERSION_FUNNELS,
            Scope::Days(entries.clone()),
        );
        let mut longer = Computed::new("funnel/funnel_windows", &FUNNEL_WINDOWS, Scope::Days(windows.clone()));
        for funnel in &self.platform.settings.funnels {
            self.session.register_rows(STEPS, &funnel.step_rows())?;
            for window in entries {
                self.answer(&mut dates, &self.of_funnel(funnel, *window)).await?;
            }
            for window in windows {
                self.answer(&mut longer, &self.of_funnel(funnel, *window)).await?;
            }
        }
        let tables = [dates, longer]
            .into_iter()
            .filter(|table| !table.scope.intervals().is_empty());
        Ok((tables.collect(), people))
    }

    /// How far those came, in every funnel, who entered on these dates.
    async fn people(
        &self,
        rebuild: &Rebuild<'_>,
        dataset: &Dataset,
        window: DayWindow,
    ) -> Result<Vec<StagedPartition>, JobError> {
        let query = self.platform.queries.get(PEOPLE)?;
        let schema = state_schema(FUNNEL_PEOPLE);
        let mut rows = BTreeMap::<_, Vec<_>>::new();
        for funnel in &self.platform.settings.funnels {
            self.session.register_rows(STEPS, &funnel.step_rows())?;
            let answer = self.session.query(query, &self.of_funnel(funnel, window)).await?;
            for (day, batches) in by_day(dataset, &answer, "date", &schema)? {
                rows.entry(day).or_default().extend(batches);
            }
        }
        let sort = state_sort(FUNNEL_PEOPLE);
        let staged = rebuild
            .stage_days(dataset, &schema, sort, &query.sql, window, rows)
            .await?;
        rebuild.changed_only(dataset, staged).await
    }

    fn of_funnel(&self, funnel: &FunnelSpec, window: DayWindow) -> Params {
        self.of_days(window).and(funnel.params())
    }
}

/// The entry dates to follow: those that are demanded, and those that a window looks back to and nobody has followed.
async fn entered(rebuild: &Rebuild<'_>, dataset: &Dataset, demand: &Demand) -> Result<Vec<DayWindow>, JobError> {
    let Some(first) = first_day(rebuild.snapshot, &[Fact::Events]) else {
        return Ok(demand.followed.clone());
    };
    let built = rebuild.built(dataset).await?;
    let ends = demand.funnel_windows.iter().flat_map(|window| window.days());
    let looked_at = ends.flat_map(|day| (0..LONGEST_WINDOW_DAYS).map(move |n| day - Days::new(n)));
    let missing = looked_at.filter(|day| *day >= first && !built.contains(day));
    let demanded = demand.followed.iter().flat_map(|window| window.days());
    let days: BTreeSet<_> = demanded.chain(missing).collect();
    let windows = DayWindow::covering(days).into_iter();
    Ok(windows
        .flat_map(|window| window.chunks(DAYS_PER_PLAN).collect::<Vec<_>>())
        .collect())
}
