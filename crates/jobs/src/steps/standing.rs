//! What stands in the lake already, of the tables that a run may restate.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use kindred_lake::{Dataset, Snapshot};
use kindred_warehouse::{CONVERSION_FUNNELS, SummaryTable};

use super::answers;
use super::datasets::summary_schema;
use crate::Platform;
use crate::error::JobError;

/// An entry date that was due to mature longer ago than this waits for a backfill.
const OVERDUE_DAYS: u64 = 60;

/// The days that have a file of a dataset.
pub(crate) fn days(snapshot: &Snapshot, dataset: &Dataset) -> BTreeSet<NaiveDate> {
    snapshot.files(dataset).map(|file| file.partition.day).collect()
}

/// The days that have rows of a table.
pub(crate) fn of_table(snapshot: &Snapshot, table: &SummaryTable) -> BTreeSet<NaiveDate> {
    days(snapshot, &Dataset::kpi(table.name))
}

/// The same for several tables.
pub(crate) fn of_tables(
    snapshot: &Snapshot,
    tables: &[&'static SummaryTable],
) -> BTreeMap<&'static str, BTreeSet<NaiveDate>> {
    tables
        .iter()
        .map(|table| (table.name, of_table(snapshot, table)))
        .collect()
}

/// The entry dates of funnels that were not mature when they were computed last.
pub(crate) async fn immature(
    platform: &Platform,
    snapshot: &Snapshot,
    today: NaiveDate,
) -> Result<BTreeSet<NaiveDate>, JobError> {
    let name = CONVERSION_FUNNELS.name;
    let session = platform.engine.session(&platform.lake, snapshot.clone());
    session.register_dataset(name, &Dataset::kpi(name), &summary_schema(&CONVERSION_FUNNELS))?;
    let since = today - Days::new(platform.settings.funnel_days() + OVERDUE_DAYS);
    let sql = format!("select distinct date from {name} where not is_mature and date >= date '{since}'");
    Ok(answers::days(
        &answers::rows(&session, "entry dates that are not mature", &sql).await?,
    ))
}
