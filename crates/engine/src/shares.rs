//! The files of a table, shared out to the streams that read them: whole days to each, where that is about fair.

use std::sync::Arc;

use datafusion::arrow::datatypes::Date32Type;
use datafusion::common::{Result, ScalarValue, SplitPoint};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr, RangePartitioning};
use kindred_lake::PartitionFile;

/// How much more than its part the largest share may be, in hundredths, for days to stay together. Beyond it, streams that
/// take files from each other are sooner done.
const UNFAIR_AT_MOST: u64 = 115;

/// Where each share but the first begins, as an index into `files`, which come in the order of their days; none where
/// whole days give no `streams` shares of about the same bytes.
///
/// All rows of a day are in one share, then: what is grouped by day and more is grouped where it is read, and its groups
/// move to no other core to be put together.
pub(crate) fn by_day(files: &[PartitionFile], streams: usize) -> Option<Vec<usize>> {
    let all: u64 = files.iter().map(|file| file.meta.size).sum();
    let parts = u64::try_from(streams).ok().filter(|parts| *parts > 1)?;
    let mut bytes = 0;
    let mut days = Vec::new();
    for (index, pair) in files.windows(2).enumerate() {
        bytes += pair[0].meta.size;
        if pair[0].partition.day < pair[1].partition.day {
            days.push((index + 1, bytes));
        }
    }
    let mut cuts = Vec::new();
    let mut last = 0;
    for part in 1..parts {
        let (cut, bytes) = *days
            .iter()
            .min_by_key(|(_, bytes)| bytes.abs_diff(all * part / parts))?;
        cuts.push(cut);
        is_fair(bytes.checked_sub(last)?, all, parts).then_some(())?;
        last = bytes;
    }
    let rises = cuts.windows(2).all(|pair| pair[0] < pair[1]);
    (rises && is_fair(all - last, all, parts)).then_some(cuts)
}

const fn is_fair(share: u64, all: u64, parts: u64) -> bool {
    share * parts * 100 <= all * UNFAIR_AT_MOST
}

/// What the planner is told of shares that begin at these cuts: the first day of each but the first, in `date`.
///
/// # Errors
/// When the days do not rise.
pub(crate) fn partitioning(files: &[PartitionFile], cuts: &[usize], date: Column) -> Result<Partitioning> {
    let first_day = |cut: &usize| {
        let day = Date32Type::from_naive_date(files[*cut].partition.day);
        SplitPoint::new(vec![ScalarValue::Date32(Some(day))])
    };
    let order = LexOrdering::from([PhysicalSortExpr::new_default(Arc::new(date))]);
    let days = RangePartitioning::try_new(order, cuts.iter().map(first_day).collect())?;
    Ok(Partitioning::Range(days))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, NaiveDate};
    use kindred_lake::{Partition, PartitionFile};
    use object_store::ObjectMeta;

    use super::by_day;

    /// A file for each of these, of a day of January 2026 and so many bytes.
    fn files(sizes: &[(u32, u64)]) -> Vec<PartitionFile> {
        let file = |(day, size): &(u32, u64)| PartitionFile {
            partition: Partition::from(NaiveDate::from_ymd_opt(2026, 1, *day).unwrap()),
            meta: Arc::new(ObjectMeta {
                location: format!("{day}").into(),
                last_modified: DateTime::UNIX_EPOCH,
                size: *size,
                e_tag: None,
                version: None,
            }),
        };
        sizes.iter().map(file).collect()
    }

    #[test]
    fn days_stay_whole_where_the_shares_are_about_the_same() {
        let even = [(1, 10), (2, 10), (3, 11), (4, 10)];
        assert_eq!(by_day(&files(&even), 2), Some(vec![2]));
        assert_eq!(by_day(&files(&even), 4), Some(vec![1, 2, 3]));
        let hours = [(1, 5), (1, 5), (1, 5), (2, 7), (2, 7)];
        assert_eq!(by_day(&files(&hours), 2), Some(vec![3]));
        // Four days and three.
        let week: Vec<_> = (1..=7).map(|day| (day, 100)).collect();
        assert!(by_day(&files(&week), 2).is_some());
    }

    #[test]
    fn days_do_not_stay_whole_where_one_stream_would_have_much_more_or_none() {
        assert_eq!(by_day(&files(&[(1, 10), (2, 20)]), 2), None);
        assert_eq!(by_day(&files(&[(1, 10), (2, 10), (3, 10)]), 2), None);
        assert_eq!(by_day(&files(&[(1, 10), (2, 10)]), 3), None);
        assert_eq!(by_day(&files(&[(1, 10), (1, 10), (1, 10)]), 2), None);
        assert_eq!(by_day(&files(&[(1, 10), (2, 0), (3, 0), (4, 0)]), 2), None);
        assert_eq!(by_day(&[], 2), None);
    }

    #[test]
    fn one_stream_reads_all() {
        assert_eq!(by_day(&files(&[(1, 10), (2, 10)]), 1), None);
    }
}
