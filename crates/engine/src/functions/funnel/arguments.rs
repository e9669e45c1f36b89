//! What a funnel is, from the literals that the function is called with.

use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::expressions::Literal;

use super::walk::{Entry, Order, Shape};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The most steps that a mask of a moment has room for.
pub(super) const MOST_STEPS: usize = 32;

/// Reads the literals after the two columns. A wrong one is an error that names it.
pub(super) fn read(args: &AccumulatorArgs) -> Result<Shape> {
    let integer = |index: usize, name: &str| match literal(args, index) {
        Some(ScalarValue::Int64(Some(value))) => Ok(*value),
        _ => plan_err!("funnel: {name} must be a literal integer, not {}", args.exprs[index]),
    };
    let text = |index: usize, name: &str| match literal(args, index) {
        Some(ScalarValue::Utf8(Some(value))) => Ok(value.as_str()),
        _ => plan_err!("funnel: {name} must be a literal text, not {}", args.exprs[index]),
    };
    let step_count = integer(2, "step_count")?;
    let steps = match usize::try_from(step_count) {
        Ok(steps @ 1..=MOST_STEPS) => steps,
        _ => return plan_err!("funnel: step_count is {step_count}; it must be from 1 to {MOST_STEPS}"),
    };
    let seconds = integer(3, "window_seconds")?;
    let window = match seconds.checked_mul(MICROS_PER_SECOND) {
        Some(window) if seconds >= 0 => window,
        _ => {
            return plan_err!(
                "funnel: window_seconds is {seconds}; it must be from 0 to {}",
                i64::MAX / 1_000_000
            );
        }
    };
    let entry = match text(4, "entry")? {
        "first" => Entry::First,
        "any" => Entry::Any,
        other => return plan_err!("funnel: entry is '{other}'; it must be 'first' or 'any'"),
    };
    let order = match text(5, "order")? {
        "ordered" => Order::Ordered,
        "strict" => Order::Strict,
        other => return plan_err!("funnel: order is '{other}'; it must be 'ordered' or 'strict'"),
    };
    Ok(Shape {
        steps,
        window,
        entry,
        order,
    })
}

fn literal<'a>(args: &'a AccumulatorArgs, index: usize) -> Option<&'a ScalarValue> {
    Some(args.exprs.get(index)?.downcast_ref::<Literal>()?.value())
}
