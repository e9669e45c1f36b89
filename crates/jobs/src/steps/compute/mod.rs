//! Computing the tables that a run demands: the parts of figures first, then the rows that put them together.

mod behavior;
mod cohorts;
mod figures;
mod funnels;
mod hours;
mod sessions;

use kindred_engine::{Params, Rows, Session, Value};
use kindred_lake::StagedPartition;
use kindred_model::DayWindow;
use kindred_warehouse::{Scope, SummaryTable};

use super::pull::Pulled;
use super::spool::Spooled;
use super::state::Rebuild;
use super::work::Work;
use crate::Platform;
use crate::demand::Demand;
use crate::error::JobError;

/// The rows of one table.
pub(crate) struct Computed {
    pub(crate) table: &'static SummaryTable,
    pub(crate) query: &'static str,
    pub(crate) scope: Scope,
    pub(crate) answers: Vec<Rows>,
}

impl Computed {
    fn new(query: &'static str, table: &'static SummaryTable, scope: Scope) -> Self {
        Self {
            table,
            query,
            scope,
            answers: Vec::new(),
        }
    }

    /// Says that the rows do not fit their table.
    pub(crate) fn misshapen(&self, problem: impl std::fmt::Display) -> JobError {
        JobError::Shape {
            query: self.query.to_owned(),
            table: self.table.name,
            problem: problem.to_string(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.answers.iter().map(Rows::len).sum()
    }
}

/// What came of a demand.
pub(crate) struct Outcome {
    pub(crate) tables: Vec<Computed>,
    /// Those with too many rows to hold.
    pub(crate) spooled: Vec<Spooled>,
    /// The state that was computed on the way.
    pub(crate) states: Vec<StagedPartition>,
}

/// Computes every table of a demand.
pub(crate) async fn compute(
    rebuild: &Rebuild<'_>,
    session: &Session,
    pulled: &Pulled,
    demand: &Demand,
) -> Result<Outcome, JobError> {
    let platform = rebuild.work.platform;
    let common = Params::default()
        .with("as_of", Value::Instant(Some(pulled.as_of)))
        .with("moderation_to", Value::Instant(pulled.moderation_to))
        .with("currency", Value::Text(platform.settings.currency.clone()));
    let compute = Compute {
        work: rebuild.work,
        platform,
        session,
        common,
    };
    compute.part("state/internal_users", &compute.common).await?;
    if !demand.figures.is_empty() || demand.cohorts.is_some() {
        compute.part("state/first_purchases", &compute.common).await?;
    }
    let figures = Box::pin(compute.figures(&demand.figures));
    let others = Box::pin(compute.others(rebuild, demand));
    let (figures, (others, states)) = platform.both(figures, others).await?;
    let tables = figures.into_iter().chain(others).collect();
    let sessions = compute.session_analytics(&demand.sessions).await?;
    let events = compute.events(&demand.events).await?;
    let spooled = sessions.into_iter().chain(events).collect();
    Ok(Outcome {
        tables,
        spooled,
        states,
    })
}

/// What computing works with.
struct Compute<'a> {
    work: &'a Work<'a>,
    platform: &'a Platform,
    session: &'a Session,
    common: Params,
}

impl Compute<'_> {
    /// Every table but the figures of days, and the state that came of them.
    async fn others(
        &self,
        rebuild: &Rebuild<'_>,
        demand: &Demand,
    ) -> Result<(Vec<Computed>, Vec<StagedPartition>), JobError> {
        let (mut tables, states) = self.funnels(rebuild, demand).await?;
        tables.extend(self.session_windows(&demand.session_windows).await?);
        tables.extend(self.hourly_metrics(&demand.hours).await?);
        tables.extend(self.rollups(&demand.rollups).await?);
        tables.extend(self.cohorts(demand.cohorts).await?);
        Ok((tables, states))
    }

    /// Answers a query and keeps its rows under its name, for the queries after it.
    async fn part(&self, name: &str, params: &Params) -> Result<(), JobError> {
        let query = self.platform.queries.get(name)?;
        let rows = self.session.query(query, params).await?;
        self.session.register_rows(query.table(), &rows)?;
        Ok(())
    }

    async fn answer(&self, computed: &mut Computed, params: &Params) -> Result<(), JobError> {
        let query = self.platform.queries.get(computed.query)?;
        computed.answers.push(self.session.query(query, params).await?);
        Ok(())
    }

    fn of_days(&self, window: DayWindow) -> Params {
        let params = self.common.clone().with("from", Value::Day(window.from()));
        params.with("to", Value::Day(window.to()))
    }

    /// Answers a table for windows of days, each at once.
    async fn days(
        &self,
        query: &'static str,
        table: &'static SummaryTable,
        windows: &[DayWindow],
    ) -> Result<Option<Computed>, JobError> {
        if windows.is_empty() {
            return Ok(None);
        }
        let mut computed = Computed::new(query, table, Scope::Days(windows.to_vec()));
        for window in windows {
            self.answer(&mut computed, &self.of_days(*window)).await?;
        }
        Ok(Some(computed))
    }
}
