//! The type system between PostgreSQL's and a batch's: ConnectorX's macros write its conversions.

use chrono::{DateTime, Utc};
use connectorx::impl_typesystem;
use rust_decimal::Decimal;
use uuid::Uuid;

/// The values that reach a batch. What a column makes of one is the column's affair. The flag, of ConnectorX's making,
/// says whether it may be null; whether it may be by contract is decided by the batch, where the column has a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum ValueType {
    Uuid(bool),
    Text(bool),
    Decimal(bool),
    Instant(bool),
    Boolean(bool),
    Integer(bool),
}

impl_typesystem! {
    system = ValueType,
    mappings = {
        { Uuid => Uuid }
        { Text => &'r str }
        { Decimal => Decimal }
        { Instant => DateTime<Utc> }
        { Boolean => bool }
        { Integer => i32 }
    }
}
