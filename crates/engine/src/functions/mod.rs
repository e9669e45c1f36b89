//! Functions of our own beside DataFusion's, for what SQL can say only by way of self-joins.

mod funnel;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::AggregateUDF;

/// Makes the functions known to a context.
pub(crate) fn register(context: &SessionContext) {
    context.register_udaf(AggregateUDF::from(funnel::Funnel::default()));
}
