//! One moment of a source, kept for as long as an extraction needs it.
//!
//! A read-only transaction exports its snapshot; every read of the extraction joins it from a connection of its own, so
//! that all facts are of one instant, however long it takes to read them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use kindred_model::{DayWindow, Fact, Instant};
use tokio::time::timeout;
use tokio_postgres::Row;

use super::connection::{Exported, connect};
use super::describe::{Described, changed_sql, describe, read_sql, rows_sql};
use super::rows::Rows;
use super::{FactQueries, Settings};
use crate::ExtractError;
use crate::library::changed_file;
use crate::parameters::Bound;

/// A source as it was at one instant. Dropping it ends its transaction; reads that have begun go on.
///
/// Its methods take the facts that it was opened for and panic for others.
pub struct Snapshot {
    settings: Arc<Settings>,
    exported: Arc<Exported>,
    taken_at: Instant,
    facts: BTreeMap<Fact, Described>,
}

impl Snapshot {
    /// Connects, exports a snapshot, and describes the facts; also the columns that the contract does not know.
    pub(super) async fn open(
        settings: &Arc<Settings>,
        facts: &[Fact],
    ) -> Result<(Self, Vec<ExtractError>), ExtractError> {
        let database = settings.database;
        if let Some(fact) = facts.iter().find(|fact| !settings.queries.contains_key(fact)) {
            return Err(ExtractError::Query {
                file: crate::library::rows_file(*fact),
                problem: format!("the {database} database was given no query for {fact}"),
            });
        }
        let opening = Self::open_now(settings, facts);
        timeout(settings.deadline, opening).await.unwrap_or_else(|_| {
            Err(ExtractError::Deadline {
                database,
                what: "opening a snapshot".into(),
                allowed: settings.deadline,
            })
        })
    }

    async fn open_now(settings: &Arc<Settings>, facts: &[Fact]) -> Result<(Self, Vec<ExtractError>), ExtractError> {
        let client = connect(settings).await?;
        let failed = |error: tokio_postgres::Error| settings.query_failed("opening a snapshot", &error);
        client.batch_execute(&settings.begin()).await.map_err(failed)?;
        let row = client
            .query_one("select pg_export_snapshot(), now()", &[])
            .await
            .map_err(failed)?;
        let id = row.try_get(0).map_err(failed)?;
        let taken_at = row.try_get(1).map_err(failed)?;

        let mut described = BTreeMap::new();
        let (mut mistakes, mut extras) = (Vec::new(), Vec::new());
        for &fact in facts {
            match describe(&client, settings, fact).await {
                Ok(mut description) => {
                    extras.append(&mut description.extras);
                    described.insert(fact, description);
                }
                Err(mut found) => match found.iter().position(ExtractError::is_no_mistake) {
                    Some(failure) => return Err(found.swap_remove(failure)),
                    None => mistakes.append(&mut found),
                },
            }
        }
        if !mistakes.is_empty() {
            mistakes.append(&mut extras);
            return Err(ExtractError::from_mistakes(settings.database, mistakes));
        }
        let snapshot = Self {
            settings: Arc::clone(settings),
            exported: Arc::new(Exported { client, id }),
            taken_at,
            facts: described,
        };
        Ok((snapshot, extras))
    }

    /// When it was taken, by the source's own clock, which its rows are dated by.
    #[must_use]
    pub const fn taken_at(&self) -> Instant {
        self.taken_at
    }

    /// The UTC dates of a fact that have rows changed at or after `since`.
    ///
    /// # Errors
    /// The source fails or takes longer than the deadline; the fact has no query for it (it is not captured by
    /// `updated_at`).
    pub async fn changed_dates(&self, fact: Fact, since: Instant) -> Result<BTreeSet<NaiveDate>, ExtractError> {
        let Some(changed) = &self.queries(fact).changed else {
            return Err(ExtractError::Query {
                file: changed_file(fact),
                problem: format!("there is none: {fact} is not read by what changed"),
            });
        };
        let what = format!("finding the changed dates of {fact}");
        let rows = self.ask(&what, &changed_sql(changed, Bound::At(since))).await?;
        // A row without its date is in no partition: whoever counts them tells of it.
        let dates = rows
            .iter()
            .map(|row| self.read_cell::<Option<NaiveDate>>(&what, row, 0).transpose());
        dates.flatten().collect()
    }

    /// How many rows each UTC date of a fact has, from a date on.
    ///
    /// # Errors
    /// The source fails or takes longer than the deadline.
    pub async fn counts(&self, fact: Fact, from: Option<NaiveDate>) -> Result<BTreeMap<NaiveDate, u64>, ExtractError> {
        let column = fact.partition_column();
        let counts = self.count(fact, column, "count(*)", Bound::from_day(from), Bound::Latest);
        Ok(counts.await?.into_iter().map(|(day, [rows])| (day, rows)).collect())
    }

    /// How many rows of a fact that is captured by arrival arrived on each UTC date from `from` on, before each of two
    /// instants: by one query, since the rows are those of weeks.
    ///
    /// # Errors
    /// The source fails or takes longer than the deadline.
    pub(crate) async fn count_arrivals(
        &self,
        fact: Fact,
        from: Instant,
        until: [Instant; 2],
    ) -> Result<BTreeMap<NaiveDate, [u64; 2]>, ExtractError> {
        let counts = until.map(|until| format!("count(*) filter (where received_at < {})", Bound::At(until)));
        let to = Bound::At(until[0].max(until[1]));
        self.count(fact, "received_at", &counts.join(", "), Bound::At(from), to)
            .await
    }

    /// So many counts of each UTC date of a column.
    async fn count<const N: usize>(
        &self,
        fact: Fact,
        column: &str,
        counts: &str,
        from: Bound,
        to: Bound,
    ) -> Result<BTreeMap<NaiveDate, [u64; N]>, ExtractError> {
        // Of each row the beginning of its day, and of each day its date: a zone is looked up by its name each time.
        let day = format!("date_bin('1 day', \"{column}\", timestamptz 'epoch')");
        let select = format!("({day} at time zone 'UTC')::date, {counts}");
        let counted = rows_sql(&self.queries(fact).rows, &select, from, to);
        let what = format!("counting {fact}");
        let rows = self.ask(&what, &format!("{counted} group by {day}")).await?;
        let mut dates = BTreeMap::new();
        for row in &rows {
            let mut counts = [0; N];
            for (place, count) in counts.iter_mut().enumerate() {
                *count = self.read_cell::<i64>(&what, row, place + 1)?.unsigned_abs();
            }
            if let Some(day) = self.read_cell::<Option<NaiveDate>>(&what, row, 0)? {
                dates.insert(day, counts);
            }
        }
        Ok(dates)
    }

    /// Begins to read the rows of a fact whose partition date lies in `[from, to)`, none meaning without bound. Dates
    /// come one after the other.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn read(&self, fact: Fact, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Rows {
        self.begin(fact, &[(Bound::from_day(from), Bound::to_day(to))])
    }

    /// Begins to read the rows of a fact whose partition date lies in one of the windows, by one query: for dates here and
    /// there, which are each read in less time than a connection takes. Dates come one after the other.
    ///
    /// # Panics
    /// Outside a tokio runtime, and without a window.
    #[must_use]
    pub fn read_days(&self, fact: Fact, windows: &[DayWindow]) -> Rows {
        assert!(!windows.is_empty(), "there is something to read");
        let bounds = windows.iter().map(|days| (Some(days.from()), Some(days.to())));
        let bounds: Vec<_> = bounds
            .map(|(from, to)| (Bound::from_day(from), Bound::to_day(to)))
            .collect();
        self.begin(fact, &bounds)
    }

    /// Begins to read the rows of a fact that is captured by arrival: those that arrived in `[since, until)`, none meaning
    /// from the first on. They come in the order of their arrival.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub(crate) fn read_arrivals(&self, fact: Fact, since: Option<Instant>, until: Instant) -> Rows {
        let since = since.map_or(Bound::Earliest, Bound::At);
        self.begin(fact, &[(since, Bound::At(until))])
    }

    fn begin(&self, fact: Fact, windows: &[(Bound, Bound)]) -> Rows {
        let sql = read_sql(fact, &self.queries(fact).rows, windows);
        Rows::start(Arc::clone(&self.settings), Arc::clone(&self.exported), fact, sql)
    }

    /// A hash of the names and types of all columns that the source returns for a fact: another value means that the
    /// source's schema changed.
    #[must_use]
    pub fn schema_fingerprint(&self, fact: Fact) -> String {
        self.described(fact).fingerprint.clone()
    }

    /// The query that a fact's rows are read with, its window still open: for the record of how a file was made.
    #[must_use]
    pub fn rows_sql(&self, fact: Fact) -> &str {
        &self.queries(fact).rows
    }

    fn described(&self, fact: Fact) -> &Described {
        self.facts
            .get(&fact)
            .unwrap_or_else(|| panic!("the snapshot was not opened for {fact}"))
    }

    fn queries(&self, fact: Fact) -> &FactQueries {
        let _ = self.described(fact);
        self.settings.queries_of(fact)
    }

    /// Asks the snapshot's own connection.
    async fn ask(&self, what: &str, sql: &str) -> Result<Vec<Row>, ExtractError> {
        let asking = self.exported.client.query(sql, &[]);
        match timeout(self.settings.deadline, asking).await {
            Ok(answer) => answer.map_err(|error| self.settings.query_failed(what, &error)),
            Err(_) => Err(ExtractError::Deadline {
                database: self.settings.database,
                what: what.to_owned(),
                allowed: self.settings.deadline,
            }),
        }
    }

    fn read_cell<'a, T: tokio_postgres::types::FromSql<'a>>(
        &self,
        what: &str,
        row: &'a Row,
        column: usize,
    ) -> Result<T, ExtractError> {
        row.try_get(column)
            .map_err(|error| self.settings.query_failed(what, &error))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("source", &self.settings.database)
            .field("facts", &self.facts.keys())
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn queries_of(&self, fact: Fact) -> &FactQueries {
        self.queries
            .get(&fact)
            .expect("a snapshot is opened for facts that have queries")
    }
}
