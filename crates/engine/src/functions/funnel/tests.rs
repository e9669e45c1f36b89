use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::moments::OfGroups;
use super::reference;
use super::walk::{Entry, Moment, Order, Shape};

fn shapes() -> impl Strategy<Value = Shape> {
    let entry = prop_oneof![Just(Entry::First), Just(Entry::Any)];
    let order = prop_oneof![Just(Order::Ordered), Just(Order::Strict)];
    (1..5_usize, 0..12_i64, entry, order).prop_map(|(steps, window, entry, order)| Shape {
        steps,
        window,
        entry,
        order,
    })
}

/// Moments of few instants, so that many are equal, of one step, of several or of none.
fn many_moments() -> impl Strategy<Value = Vec<Moment>> {
    let moment = (0..15_i64, 0..32_u32).prop_map(|(at, steps)| Moment { at, steps });
    let simple = (0..15_i64, 0..5_usize).prop_map(|(at, step)| Moment { at, steps: 1 << step });
    prop_oneof![
        proptest::collection::vec(moment, 0..9),
        proptest::collection::vec(simple, 0..9)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_pass_finds_what_trying_everything_finds(shape in shapes(), moments in many_moments()) {
        let (found, expected) = (shape.walk(&mut moments.clone()), reference::walk(&shape, &moments));
        let depth = |reached: &Option<_>| reached.as_ref().map(super::walk::Reached::steps);
        prop_assert_eq!(depth(&found), depth(&expected));
        if let (Some(found), Some(expected)) = (found, expected) {
            prop_assert_eq!(found.entered_at, expected.entered_at);
            for (found, expected) in found.seconds.iter().zip(&expected.seconds) {
                prop_assert!((found.mean - expected.mean).abs() < 1e-12, "{found:?} {expected:?}");
                prop_assert!((found.median - expected.median).abs() < 1e-12, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_nothing(
        shape in shapes(),
        (mut moments, mut shuffled) in many_moments().prop_flat_map(|moments| {
            (Just(moments.clone()), Just(moments).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(shape.walk(&mut moments), shape.walk(&mut shuffled));
    }

    #[test]
    fn a_longer_window_and_more_moments_never_lead_less_far(
        shape in shapes(),
        moments in many_moments(),
        more in many_moments(),
        longer in 0..5_i64,
    ) {
        let depth = |shape: Shape, moments: &[Moment]| {
            shape.walk(&mut moments.to_vec()).map_or(0, |reached| reached.steps())
        };
        let wide = Shape { window: shape.window + longer, ..shape };
        prop_assert!(depth(wide, &moments) >= depth(shape, &moments));
        let any = Shape { entry: Entry::Any, order: Order::Ordered, ..shape };
        let all = [moments.clone(), more].concat();
        prop_assert!(depth(any, &all) >= depth(any, &moments));
        // What is allowed more leads at least as far.
        prop_assert!(depth(any, &moments) >= depth(shape, &moments));
    }

    #[test]
    fn a_group_may_be_gathered_in_parts(shape in shapes(), moments in many_moments(), cut in 0..9_usize) {
        let rows = columns(&moments);
        let mut whole = OfGroups::new(shape);
        whole.update_batch(&rows, &vec![0; moments.len()], None, 1).unwrap();
        let expected = whole.evaluate(EmitTo::All).unwrap();

        let cut = cut.min(moments.len());
        let mut merged = OfGroups::new(shape);
        for part in [&moments[..cut], &moments[cut..]] {
            let rows = columns(part);
            let mut partial = OfGroups::new(shape);
            // Another group before it goes first, so that what is left moves up.
            partial.update_batch(&rows, &vec![1; part.len()], None, 2).unwrap();
            partial.state(EmitTo::First(1)).unwrap();
            merged.merge_batch(&partial.state(EmitTo::All).unwrap(), &[0], 1).unwrap();
            prop_assert_eq!(partial.bytes(), 0);
        }
        prop_assert_eq!(&merged.evaluate(EmitTo::All).unwrap(), &expected);

        let states = merged.convert_to_state(&rows, None).unwrap();
        merged.merge_batch(&states, &vec![0; moments.len()], 1).unwrap();
        prop_assert_eq!(&merged.evaluate(EmitTo::All).unwrap(), &expected);
    }
}

/// The columns of the function for these moments.
fn columns(moments: &[Moment]) -> Vec<ArrayRef> {
    let at = moments.iter().map(|moment| moment.at);
    let steps = moments.iter().map(|moment| i64::from(moment.steps));
    vec![
        Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC")),
        Arc::new(Int64Array::from_iter_values(steps)),
    ]
}

#[test]
fn every_attempt_of_100_000_is_walked_at_once() {
    // Each begins an attempt, each fills every step, and a third of them come at one instant.
    let mut moments: Vec<_> = (0..100_000)
        .map(|at| Moment {
            at: at.min(66_000),
            steps: 0xffff,
        })
        .collect();
    let shape = Shape {
        steps: 16,
        window: i64::MAX,
        entry: Entry::Any,
        order: Order::Ordered,
    };
    let begun = std::time::Instant::now();
    let reached = shape.walk(&mut moments).unwrap();
    assert_eq!(reached.steps(), 16);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

fn context(partitions: usize) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    crate::functions::register(&context);
    context
}

async fn answer(partitions: usize, sql: &str) -> Result<String, DataFusionError> {
    let rows = context(partitions).sql(sql).await?.collect().await?;
    Ok(pretty_format_batches(&rows)?.to_string())
}

const MOMENTS: &str = "(values
    (1, timestamp '2026-01-01T10:00:00Z', 1), (1, timestamp '2026-01-01T10:00:30Z', 2),
    (2, timestamp '2026-01-01T10:00:30Z', 2), (2, null, 1), (2, timestamp '2026-01-01T10:00:00Z', null),
    (3, timestamp '2026-01-01T10:00:00Z', 1), (3, timestamp '2026-01-01T10:00:00Z', 2),
    (3, timestamp '2026-01-01T10:00:10Z', 4), (3, timestamp '2026-01-01T10:00:11Z', 1 + 1024)
) as moments (person, at, steps)";

#[tokio::test]
async fn sql_answers_a_struct_for_each_person() {
    let sql = format!(
        "select person, f['reached'] as reached, f['entered_at'] as entered_at, f['avg_seconds'] as seconds
         from (select person, funnel(at, steps, 3, 30, 'any', 'ordered') as f from {MOMENTS} group by person)
         order by person"
    );
    let expected = "\
+--------+---------+----------------------+-------------+
| person | reached | entered_at           | seconds     |
+--------+---------+----------------------+-------------+
| 1      | 2       | 2026-01-01T10:00:00Z | [30.0, ]    |
| 2      | 0       |                      | [, ]        |
| 3      | 3       | 2026-01-01T10:00:00Z | [0.0, 10.0] |
+--------+---------+----------------------+-------------+";
    for partitions in [1, 4] {
        assert_eq!(answer(partitions, &sql).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn sql_without_groups_and_with_a_filter_answers_too() {
    let sql = format!(
        "select funnel(at, steps, 2, 30, 'first', 'strict') filter (where person = 1)['reached'] as one,
            funnel(at, steps, 2, 30, 'first', 'strict') filter (where person = 9)['reached'] as nobody from {MOMENTS}"
    );
    let rows = context(2).sql(&sql).await.unwrap().collect().await.unwrap();
    let values: Vec<_> = (0..2)
        .map(|column| {
            rows[0]
                .column(column)
                .as_primitive::<datafusion::arrow::datatypes::Int64Type>()
                .value(0)
        })
        .collect();
    assert_eq!(values, [2, 0]);
}

#[tokio::test]
async fn a_wrong_argument_is_named() {
    let cases = [
        ("0, 30, 'any', 'ordered'", "step_count is 0"),
        ("33, 30, 'any', 'ordered'", "step_count is 33"),
        ("person, 30, 'any', 'ordered'", "step_count must be a literal"),
        ("3, -1, 'any', 'ordered'", "window_seconds is -1"),
        (
            "3, 9223372036854775807, 'any', 'ordered'",
            "window_seconds is 9223372036854775807",
        ),
        ("3, 30, 'all', 'ordered'", "entry is 'all'"),
        ("3, 30, 'any', 'loose'", "order is 'loose'"),
        ("3, 30, 'any', null", "order must be a literal text"),
    ];
    for (arguments, message) in cases {
        let sql = format!("select funnel(at, steps, {arguments}) from {MOMENTS} group by person");
        let error = answer(2, &sql).await.unwrap_err();
        assert!(matches!(error.find_root(), DataFusionError::Plan(_)), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
    }
}
