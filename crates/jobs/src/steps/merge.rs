//! New rows of a table over those that stand in the lake.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{filter_record_batch, interleave, interleave_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use chrono::{DateTime, NaiveDate};
use kindred_lake::{Dataset, split_by_day};
use kindred_model::Instant;
use kindred_warehouse::{Scope, SummaryTable};
use uuid::Uuid;

use super::datasets::summary_schema;
use super::shape::{COMPUTED_AT, RUN_ID, column, recast};
use super::work::Work;

/// Where a row of the outcome comes from.
const NEW: usize = 0;
const OLD: usize = 1;

/// Who writes, and when.
pub(crate) struct Merge {
    pub(crate) table: &'static SummaryTable,
    pub(crate) run_id: Uuid,
    pub(crate) now: Instant,
}

/// What came of it.
pub(crate) struct Merged {
    /// The new rows, each with the run that last changed it.
    pub(crate) rows: RecordBatch,
    /// The whole of each partition in which a row changed or vanished.
    pub(crate) partitions: BTreeMap<NaiveDate, RecordBatch>,
}

impl Merge {
    /// What the run writes from now on.
    pub(crate) fn new(work: &Work<'_>, table: &'static SummaryTable) -> Self {
        Self {
            table,
            run_id: work.run_id,
            now: work.platform.clock.now(),
        }
    }

    /// Puts `new` rows over `old` ones on `days`. What the scope covers and is not among the new rows vanishes; the rest
    /// stays. The partitions of `unsettled` days are replaced whatever comes of it.
    pub(crate) fn merge(
        &self,
        new: &RecordBatch,
        old: &RecordBatch,
        days: &BTreeSet<NaiveDate>,
        unsettled: &BTreeSet<NaiveDate>,
        scope: &Scope,
    ) -> Result<Merged, ArrowError> {
        // A bucket that meets several windows was answered for each of them, equally.
        let new = &once(new, self.table.key)?;
        let old_figures = recast(old, &new.schema())?;
        let known: HashMap<_, _> = encode_all(&old_figures)?.into_iter().zip(0_usize..).collect();
        let same: Vec<_> = encode_all(new)?.iter().map(|row| known.get(row).copied()).collect();
        let rows = self.sign(new, old, &same)?;

        let mut picks: BTreeMap<_, Vec<_>> = days.iter().map(|day| (*day, Vec::new())).collect();
        let mut changed: BTreeSet<_> = days & unsettled;
        for (row, day) in self.days_of(&rows)?.into_iter().enumerate() {
            picks.entry(day).or_default().push((NEW, row));
            if same[row].is_none() {
                changed.insert(day);
            }
        }
        let new_keys: HashSet<_> = encode(new, self.table.key)?.into_iter().collect();
        let old_keys = encode(&old_figures, self.table.key)?;
        let covered = self.covered(old, scope)?;
        for (row, day) in self.days_of(old)?.into_iter().enumerate() {
            let Some(picked) = picks.get_mut(&day).filter(|_| !new_keys.contains(&old_keys[row])) else {
                continue;
            };
            if covered[row] {
                changed.insert(day);
            } else {
                picked.push((OLD, row));
            }
        }
        let whole = |day: NaiveDate| Ok((day, interleave_record_batch(&[&rows, old], &picks[&day])?));
        let partitions = changed.into_iter().map(whole).collect::<Result<_, ArrowError>>()?;
        Ok(Merged { rows, partitions })
    }

    /// The rows as written by this run.
    pub(crate) fn sign_all(&self, new: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let nothing = RecordBatch::new_empty(summary_schema(self.table));
        self.sign(new, &nothing, &vec![None; new.num_rows()])
    }

    /// The rows with the two columns that say who wrote them: those of the equal old row, else this run's.
    fn sign(&self, new: &RecordBatch, old: &RecordBatch, same: &[Option<usize>]) -> Result<RecordBatch, ArrowError> {
        let run_id = FixedSizeBinaryArray::try_from_iter(std::iter::once(self.run_id.as_bytes()))?;
        let now = TimestampMicrosecondArray::from(vec![self.now.timestamp_micros()]).with_timezone("UTC");
        let (run_id, now): (ArrayRef, ArrayRef) = (Arc::new(run_id), Arc::new(now));
        let picks: Vec<_> = same
            .iter()
            .map(|same| same.map_or((NEW, 0), |row| (OLD, row)))
            .collect();
        let schema = summary_schema(self.table);
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            RUN_ID => interleave(&[&run_id, column(old, RUN_ID)?], &picks),
            COMPUTED_AT => interleave(&[&now, column(old, COMPUTED_AT)?], &picks),
            name => column(new, name).cloned(),
        });
        RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    /// Whether the scope covers each row.
    fn covered(&self, rows: &RecordBatch, scope: &Scope) -> Result<Vec<bool>, ArrowError> {
        Ok(match scope {
            Scope::Keys => vec![false; rows.num_rows()],
            Scope::Days(_) => vec![true; rows.num_rows()],
            Scope::Within(intervals) => {
                let instants = column(rows, self.table.day_column)?;
                let instants = instants.as_primitive::<TimestampMicrosecondType>().values();
                let covers = |micros: &i64| {
                    let at = DateTime::from_timestamp_micros(*micros);
                    at.is_some_and(|at| intervals.iter().any(|interval| interval.contains(at)))
                };
                instants.iter().map(covers).collect()
            }
        })
    }

    /// The day of each row.
    fn days_of(&self, rows: &RecordBatch) -> Result<Vec<NaiveDate>, ArrowError> {
        let parts = split_by_day(&Dataset::kpi(self.table.name), rows, self.table.day_column);
        let parts = parts.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        Ok(parts
            .iter()
            .flat_map(|(day, rows)| std::iter::repeat_n(*day, rows.num_rows()))
            .collect())
    }
}

/// The first row of each key.
fn once(rows: &RecordBatch, key: &[&str]) -> Result<RecordBatch, ArrowError> {
    let mut seen = HashSet::new();
    let first: Vec<_> = encode(rows, key)?.into_iter().map(|key| seen.insert(key)).collect();
    filter_record_batch(rows, &BooleanArray::from(first))
}

/// Each row as bytes that are equal where the rows are.
fn encode_all(rows: &RecordBatch) -> Result<Vec<OwnedRow>, ArrowError> {
    encode_columns(rows.columns())
}

/// These columns of each row as such bytes.
fn encode(rows: &RecordBatch, columns: &[&str]) -> Result<Vec<OwnedRow>, ArrowError> {
    let columns = columns.iter().map(|name| column(rows, name).cloned());
    encode_columns(&columns.collect::<Result<Vec<_>, _>>()?)
}

fn encode_columns(columns: &[ArrayRef]) -> Result<Vec<OwnedRow>, ArrowError> {
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()))
        .collect();
    let rows = RowConverter::new(fields)?.convert_columns(columns)?;
    Ok(rows.iter().map(|row| row.owned()).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Int64Array, TimestampMicrosecondArray};
    use arrow::datatypes::Date32Type;
    use kindred_model::DayWindow;
    use kindred_warehouse::LIFECYCLE_DAILY;

    use super::*;

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, n).unwrap()
    }

    /// Rows of `lifecycle_daily`: a day and a number that stands for all four.
    fn figures(rows: &[(u32, i64)]) -> RecordBatch {
        let days = Date32Array::from_iter_values(rows.iter().map(|(n, _)| Date32Type::from_naive_date(day(*n))));
        let count = || Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, count)| *count))) as ArrayRef;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("date", Arc::new(days)),
            ("new_active", count()),
            ("returning", count()),
            ("resurrected", count()),
            ("dormant", count()),
            ("is_partial", Arc::new(BooleanArray::from(vec![false; rows.len()]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn merge(new: &RecordBatch, old: &RecordBatch, run: u128) -> Merged {
        let days: BTreeSet<_> = (1..=3).map(day).collect();
        let scope = Scope::Days(vec![DayWindow::new(day(1), day(4)).unwrap()]);
        let merge = Merge {
            table: &LIFECYCLE_DAILY,
            run_id: Uuid::from_u128(run),
            now: Instant::UNIX_EPOCH,
        };
        merge.merge(new, old, &days, &BTreeSet::new(), &scope).unwrap()
    }

    fn runs(rows: &RecordBatch) -> Vec<u8> {
        let ids = column(rows, RUN_ID)
            .unwrap()
            .as_any()
            .downcast_ref::<FixedSizeBinaryArray>()
            .unwrap()
            .clone();
        ids.iter().map(|id| id.unwrap()[15]).collect()
    }

    #[test]
    fn an_equal_row_keeps_its_run_and_its_partition_is_not_replaced() {
        let nothing = RecordBatch::new_empty(summary_schema(&LIFECYCLE_DAILY));
        let first = merge(&figures(&[(1, 10), (2, 20)]), &nothing, 1);
        let second = merge(&figures(&[(1, 10), (2, 21)]), &first.rows, 2);
        assert_eq!(runs(&second.rows), [1, 2]);
        assert_eq!(second.partitions.keys().copied().collect::<Vec<_>>(), [day(2)]);
    }

    #[test]
    fn a_day_whose_rows_all_vanished_becomes_an_empty_partition() {
        let nothing = RecordBatch::new_empty(summary_schema(&LIFECYCLE_DAILY));
        let first = merge(&figures(&[(1, 10), (3, 30)]), &nothing, 1);
        let second = merge(&figures(&[(1, 10)]), &first.rows, 2);
        assert_eq!(second.partitions.len(), 1);
        assert_eq!(second.partitions[&day(3)].num_rows(), 0);
    }

    #[test]
    fn with_a_scope_of_keys_other_rows_of_the_day_stay() {
        let hours = |starts: &[i64]| {
            let at = |hours: i64| {
                TimestampMicrosecondArray::from_iter_values(starts.iter().map(|hour| (hour + hours) * 3_600_000_000))
                    .with_timezone("UTC")
            };
            let count = || Arc::new(Int64Array::from(vec![1; starts.len()])) as ArrayRef;
            let columns: Vec<(&str, ArrayRef)> = vec![
                (
                    "granularity",
                    Arc::new(arrow::array::StringArray::from(vec!["hourly"; starts.len()])),
                ),
                ("bucket_start", Arc::new(at(0))),
                ("bucket_end", Arc::new(at(1))),
                ("active_users", count()),
                ("new_registrations", count()),
                ("total_sessions", count()),
                ("is_partial", Arc::new(BooleanArray::from(vec![false; starts.len()]))),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let table = &kindred_warehouse::ACTIVE_USER_BUCKETS;
        let days = BTreeSet::from([NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()]);
        let merge = Merge {
            table,
            run_id: Uuid::nil(),
            now: Instant::UNIX_EPOCH,
        };
        let (nothing, settled) = (RecordBatch::new_empty(summary_schema(table)), BTreeSet::new());
        let first = merge
            .merge(&hours(&[0, 1, 0]), &nothing, &days, &settled, &Scope::Keys)
            .unwrap();
        let second = merge
            .merge(&hours(&[2]), &first.rows, &days, &settled, &Scope::Keys)
            .unwrap();
        assert_eq!(second.rows.num_rows(), 1);
        let left = |merged: &Merged| {
            merged
                .partitions
                .values()
                .map(RecordBatch::num_rows)
                .collect::<Vec<_>>()
        };
        assert_eq!(left(&second), [3]);

        // Of the two old hours, the scope covers one.
        let at = |hour: i64| Instant::UNIX_EPOCH + chrono::TimeDelta::hours(hour);
        let within = Scope::Within(vec![kindred_model::Interval::new(at(1), at(3)).unwrap()]);
        let third = merge
            .merge(&hours(&[2]), &first.rows, &days, &settled, &within)
            .unwrap();
        assert_eq!(left(&third), [2]);
    }
}
