//! What a plan has done: rows and bytes, which are the same on every machine, where a time is not.

use std::ops::Add;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;

/// What a plan has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Rows of files that were decoded, those that a filter then refused among them. Tables that are held count nothing.
    pub rows_read: usize,
    /// Bytes of files that were fetched.
    pub bytes_read: usize,
    /// Rows that operators handed to the next one, in all: what a plan computes grows with them.
    pub rows_passed: usize,
}

impl Work {
    /// What this plan and those below it have done so far.
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let below = plan.children().into_iter().map(Self::of);
        let below = below.fold(Self::default(), Add::add);
        let Some(metrics) = plan.metrics() else { return below };
        let passed = metrics.output_rows().unwrap_or_default();
        let is_source = plan.children().is_empty();
        let read = |count: usize| if is_source { count } else { 0 };
        below
            + Self {
                rows_read: read(passed + sum(&metrics, "pushdown_rows_pruned")),
                bytes_read: read(sum(&metrics, "bytes_scanned")),
                rows_passed: passed,
            }
    }
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows_read: self.rows_read + other.rows_read,
            bytes_read: self.bytes_read + other.bytes_read,
            rows_passed: self.rows_passed + other.rows_passed,
        }
    }
}

fn sum(metrics: &MetricsSet, name: &str) -> usize {
    metrics.sum_by_name(name).map_or(0, |value| value.as_usize())
}
