//! How far people come in each funnel: who entered first, then the rows of their dates and of longer windows.

use kindred_engine::Params;
use kindred_lake::{Dataset, StagedPartition};
use kindred_model::DayWindow;
use kindred_warehouse::{CONVERSION_FUNNELS, FUNNEL_WINDOWS, Scope};

use super::{Compute, Computed};
use crate::FunnelSpec;
use crate::demand::Demand;
use crate::error::JobError;
use crate::steps::datasets::{FUNNEL_PEOPLE, state_schema, state_sort};
use crate::steps::shape::by_day;
use crate::steps::state::Rebuild;

const PEOPLE: &str = "funnel/funnel_people";

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
        for window in entries {
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
        let mut rows = std::collections::BTreeMap::new();
        for funnel in &self.platform.settings.funnels {
            self.session.register_rows(STEPS, &funnel.step_rows())?;
            let answer = self.session.query(query, &self.of_funnel(funnel, window)).await?;
            for (day, batches) in by_day(dataset, &answer, "date", &schema)? {
                rows.entry(day).or_insert_with(Vec::new).extend(batches);
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
