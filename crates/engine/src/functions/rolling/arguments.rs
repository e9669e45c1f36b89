//! Which windows are asked for, from the literals that the function is called with.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::expressions::Literal;

use super::windows::Shape;

/// Days of a window, at most: more than a century.
const LONGEST: i64 = 1 << 16;

/// Refuses columns that are no days and no numbers.
pub(super) fn expect_types(of: &[DataType]) -> Result<()> {
    match of {
        [DataType::Date32, DataType::Float64, ..] => Ok(()),
        _ => plan_err!("rolling: takes a date and a double of each row, and was given {of:?}"),
    }
}

/// Reads the literals after the two columns. A wrong one is an error that names it.
pub(super) fn read(args: &AccumulatorArgs) -> Result<Shape> {
    let day = |index: usize, name: &str| match literal(args, index) {
        Some(ScalarValue::Date32(Some(day))) => Ok(*day),
        _ => plan_err!("rolling: {name} must be a literal date, not {}", args.exprs[index]),
    };
    let (from, to) = (day(2, "from")?, day(3, "to")?);
    let lengths = match literal(args, 4) {
        Some(ScalarValue::List(list)) if list.len() == 1 && list.value_type() == DataType::Int64 => list.value(0),
        _ => {
            return plan_err!(
                "rolling: lengths must be a literal list of integers, not {}",
                args.exprs[4]
            );
        }
    };
    let lengths = lengths.as_primitive::<Int64Type>().iter().map(|length| match length {
        Some(length @ 1..=LONGEST) => Ok(i32::try_from(length).expect("short enough")),
        _ => plan_err!("rolling: a window has 1 to {LONGEST} days, not {length:?}"),
    });
    Ok(Shape {
        days: from..to,
        lengths: lengths.collect::<Result<_>>()?,
    })
}

fn literal<'a>(args: &'a AccumulatorArgs, index: usize) -> Option<&'a ScalarValue> {
    Some(args.exprs.get(index)?.downcast_ref::<Literal>()?.value())
}
