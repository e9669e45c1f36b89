//! Functions of our own beside DataFusion's, for what SQL can say only by way of self-joins, or not at all.

mod bits;
mod funnel;
mod gathered;
mod id_hash;
mod peak;
mod rolling;
mod sets;
mod ungrouped;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// Makes the functions known to a context.
pub(crate) fn register(context: &SessionContext) {
    context.register_udaf(AggregateUDF::from(bits::BitsBy::default()));
    context.register_udaf(AggregateUDF::from(funnel::Funnel::default()));
    context.register_udaf(AggregateUDF::from(peak::Peak::default()));
    context.register_udaf(AggregateUDF::from(rolling::Rolling::default()));
    context.register_udaf(AggregateUDF::from(sets::SetOf::default()));
    context.register_udaf(AggregateUDF::from(sets::SetCounts::default()));
    context.register_udf(ScalarUDF::from(bits::BitsCube::default()));
    context.register_udf(ScalarUDF::from(sets::SetHas::default()));
    context.register_udf(ScalarUDF::from(sets::SetSpread::default()));
    context.register_udf(ScalarUDF::from(id_hash::IdHash::default()));
}
