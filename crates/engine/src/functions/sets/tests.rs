use std::collections::BTreeSet;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

/// On two partitions with batches of few rows, so that parts of groups meet.
fn context() -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(3);
    let context = SessionContext::new_with_config(config);
    crate::functions::register(&context);
    context
}

async fn answer(sql: &str) -> Result<String, DataFusionError> {
    let rows = context().sql(sql).await?.collect().await?;
    Ok(pretty_format_batches(&rows)?.to_string())
}

/// How many groups have a number in the `length` numbers that end with each: by the functions, and by sets of numbers.
fn counted_both_ways(rows: &[(u8, u16)], length: u16) -> (Vec<i64>, Vec<i64>) {
    let values: Vec<_> = rows
        .iter()
        .map(|(group, number)| format!("({group}, {number})"))
        .collect();
    let sql = format!(
        "select set_counts(set_spread(numbers, {length})) as counts from (
            select g, set_of(n) as numbers from (values {}) as rows (g, n) group by g
        )",
        values.join(", ")
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime
        .block_on(async { context().sql(&sql).await?.collect().await })
        .unwrap();
    let counts = found[0].column(0).as_list::<i32>().value(0);
    let counts = counts.as_primitive::<datafusion::arrow::datatypes::Int64Type>();
    let mut expected = Vec::new();
    let last = rows.iter().map(|(_, number)| number + length).max().unwrap_or_default();
    for end in 0..last {
        let groups = rows
            .iter()
            .filter(|(_, number)| *number <= end && end - number < length);
        let groups: BTreeSet<_> = groups.map(|(group, _)| group).collect();
        expected.push(i64::try_from(groups.len()).unwrap());
    }
    (counts.values().to_vec(), expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn windows_of_sets_are_counted_as_sets_of_numbers_are(
        rows in proptest::collection::vec((0..6_u8, 0..150_u16), 1..40),
        length in 1..40_u16,
    ) {
        let (found, expected) = counted_both_ways(&rows, length);
        prop_assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn nulls_and_refused_rows_are_in_no_set_and_nobody_is_counted_without_rows() {
    let sets = "select g, set_counts(s) as counts from (
            select g, set_of(n) filter (where n <> 4) as s
            from (values (1, 0), (1, null), (1, 9), (1, 4), (2, null)) as rows (g, n) group by g
        ) group by g order by g";
    let expected = "\
+---+--------------------------------+
| g | counts                         |
+---+--------------------------------+
| 1 | [1, 0, 0, 0, 0, 0, 0, 0, 0, 1] |
| 2 | []                             |
+---+--------------------------------+";
    assert_eq!(answer(sets).await.unwrap(), expected);
    let nobody = "select set_counts(s)[1] as counts from (select set_of(1) as s where false) where false";
    assert!(answer(nobody).await.unwrap().contains("|        |"));
}

#[tokio::test]
async fn a_set_has_its_numbers_and_no_others() {
    let sql = "select n from (select set_of(x) as s from (values (0), (8), (15)) as rows (x))
        cross join (values (-8), (-1), (0), (1), (7), (8), (15), (16), (70000), (null)) as asked (n)
        where set_has(s, n) order by n";
    let expected = "\
+----+
| n  |
+----+
| 0  |
| 8  |
| 15 |
+----+";
    assert_eq!(answer(sql).await.unwrap(), expected);
}

#[tokio::test]
async fn an_integer_is_the_set_of_its_bits() {
    let sql = "select set_counts(bits) as counts from (values (5), (-9223372036854775808), (4), (null)) as rows (bits)";
    let counts = answer(sql).await.unwrap();
    assert!(
        counts.contains("[1, 0, 2, 0,") && counts.contains(", 0, 1]"),
        "{counts}"
    );
    assert_eq!(counts.matches(',').count(), 63);
}

#[tokio::test]
async fn what_is_no_small_number_is_refused_with_the_number() {
    for number in ["-1", "65536", "9223372036854775807"] {
        let error = answer(&format!("select set_of({number})"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("from 0 to 65535") && error.contains(number), "{error}");
    }
    let error = answer("select set_spread(set_of(1), -1)")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("-1"), "{error}");
}
