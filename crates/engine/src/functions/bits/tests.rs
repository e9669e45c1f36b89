use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

/// On two partitions with batches of few rows, so that parts of groups meet.
async fn answer(sql: &str) -> Result<String, DataFusionError> {
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(3);
    let context = SessionContext::new_with_config(config);
    crate::functions::register(&context);
    let rows = context.sql(sql).await?.collect().await?;
    Ok(pretty_format_batches(&rows)?.to_string())
}

/// Rows of group, upper and lower half of the key, and bits.
type Row = (u8, u8, u8, i64, i64);

/// The cube of each group: by the functions, from lists that are brought together, and by rows that are handed on four
/// times. The group is last in their order: DataFusion takes it to determine what is unnested from it, and would sort by
/// nothing else where it is first.
async fn cubes_both_ways(rows: &[Row]) -> (String, String) {
    let values = rows
        .iter()
        .map(|(group, upper, lower, first, second)| format!("({group}, {upper}, {lower}, {first}, {second})"));
    let rows = format!(
        "(values {}) as rows (g, upper, lower, first, second)",
        values.collect::<Vec<_>>().join(", ")
    );
    let functions = format!(
        "select g, e['key'] >> 32 as upper, e['key'] & 4294967295 as lower, e['first'] as first, e['second'] as second
        from (
            select g, unnest(bits_cube(bits_by(entries))) as e
            from (select g, bits_by((upper << 32) + lower, first, second) as entries from {rows} group by g, lower % 3)
            group by g
        ) order by upper, lower, g"
    );
    let grouped = format!(
        "select g, upper, lower, bit_or(first) as first, bit_or(second) as second
        from (
            select g, upper, unnest(make_array(lower, 0)) as lower, first, second
            from (select g, unnest(make_array(upper, 0)) as upper, lower, first, second from {rows})
        ) group by g, upper, lower order by upper, lower, g"
    );
    (answer(&functions).await.unwrap(), answer(&grouped).await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn cubes_are_those_of_rows_by_every_pair(
        rows in proptest::collection::vec((0..4_u8, 0..5_u8, 0..4_u8, 0..i64::MAX, i64::MIN + 1..0), 1..40),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (found, expected) = runtime.block_on(cubes_both_ways(&rows));
        prop_assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn rows_that_are_refused_or_have_no_key_count_nothing_and_nulls_have_no_bits() {
    let sql = "select g, bits_by(key, first, second) filter (where first is distinct from 64) as entries
        from (values (1, 7, 1, null), (1, 7, 4, 2), (1, null, 8, 8), (1, 3, 64, 1), (1, -2, 0, 0), (2, null, 1, 1))
            as rows (g, key, first, second)
        group by g order by g";
    let expected = "\
+---+-----------------------------------------------------------------+
| g | entries                                                         |
+---+-----------------------------------------------------------------+
| 1 | [{key: -2, first: 0, second: 0}, {key: 7, first: 5, second: 2}] |
| 2 | []                                                              |
+---+-----------------------------------------------------------------+";
    assert_eq!(answer(sql).await.unwrap(), expected);
    let ungrouped = "select cardinality(bits_cube(bits_by(1, 1, 1))) as one from (values (1), (2)) as rows (x)";
    assert!(answer(ungrouped).await.unwrap().contains("| 2   |"));
    let nobody = "select cardinality(bits_by(1, 1, 1)) as none from (values (1)) as rows (x) where x > 1";
    assert!(answer(nobody).await.unwrap().contains("| 0    |"));
}
