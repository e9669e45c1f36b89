//! Numbers as they are answered: exact decimals until they are written, rounded once, half away from zero, then JSON
//! numbers.

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A number that is rounded when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure {
    exact: Decimal,
    decimals: u32,
}

impl Figure {
    /// A whole number, of users or of things.
    pub(crate) fn count(count: impl Into<Decimal>) -> Self {
        Self::of(count.into(), 0)
    }

    /// Money, with 2 decimals.
    pub(crate) fn money(amount: Decimal) -> Self {
        Self::of(amount, 2)
    }

    /// A mean of counts or of money, or an amount per user: `sum / of`, with 2 decimals. None when `of` is 0.
    pub(crate) fn mean(sum: impl Into<Decimal>, of: impl Into<Decimal>) -> Option<Self> {
        Some(Self::of(sum.into().checked_div(of.into())?, 2))
    }

    /// A rate in per cent, from its parts, with 1 decimal. None when the whole is 0.
    pub(crate) fn rate(part: impl Into<Decimal>, whole: impl Into<Decimal>) -> Option<Self> {
        let part = part.into().checked_mul(Decimal::ONE_HUNDRED)?;
        Some(Self::of(part.checked_div(whole.into())?, 1))
    }

    /// The change from one figure to another in per cent, with 1 decimal. None when there is none to compare with, or
    /// it is 0.
    pub(crate) fn change(from: Option<Self>, to: Option<Self>) -> Option<Self> {
        let (from, to) = (from?.exact, to?.exact);
        Self::rate(to.checked_sub(from)?, from.abs())
    }

    /// A number of seconds or of minutes, with 1 decimal. None when it is no number.
    pub(crate) fn duration(length: f64) -> Option<Self> {
        Some(Self::of(Decimal::from_f64(length)?, 1))
    }

    /// The rounded number; none beyond what a float holds, which no figure comes near.
    pub(crate) fn to_f64(self) -> f64 {
        self.rounded().to_f64().unwrap_or(f64::NAN)
    }

    const fn of(exact: Decimal, decimals: u32) -> Self {
        Self { exact, decimals }
    }

    fn rounded(self) -> Decimal {
        self.exact
            .round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.decimals, self.rounded().to_i64()) {
            (0, Some(count)) => serializer.serialize_i64(count),
            _ => serializer.serialize_f64(self.to_f64()),
        }
    }
}

impl PartialSchema for Figure {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number);
        number
            .description(Some("A rounded number: half away from zero."))
            .into()
    }
}

impl ToSchema for Figure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(figure: Option<Figure>) -> String {
        serde_json::to_string(&figure).unwrap()
    }

    #[test]
    fn halves_are_rounded_away_from_zero_once() {
        let money = |text: &str| json(Some(Figure::money(text.parse().unwrap())));
        assert_eq!(money("0.125"), "0.13");
        assert_eq!(money("-0.125"), "-0.13");
        assert_eq!(money("2.675"), "2.68");
        assert_eq!(money("1.00499999999999999999"), "1.0");
        assert_eq!(money("35407.50"), "35407.5");
        assert_eq!(json(Figure::rate(1, 16)), "6.3");
        assert_eq!(json(Figure::duration(1110.25)), "1110.3");
        assert_eq!(json(Figure::duration(0.05)), "0.1");
    }

    #[test]
    fn what_cannot_be_known_is_null_and_zero_is_zero() {
        assert_eq!(json(Figure::rate(5, 0)), "null");
        assert_eq!(json(Figure::mean(10, 0)), "null");
        assert_eq!(json(Figure::duration(f64::NAN)), "null");
        assert_eq!(json(Figure::rate(0, 7)), "0.0");
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert_eq!(json(Some(Figure::count(142))), "142");
        assert_eq!(json(Some(Figure::count(-3))), "-3");
    }

    #[test]
    fn a_change_is_of_the_exact_figures() {
        let third = Figure::mean(1, 3);
        assert_eq!(json(Figure::change(third, Figure::mean(2, 3))), "100.0");
        assert_eq!(
            json(Figure::change(Some(Figure::count(-50)), Some(Figure::count(50)))),
            "200.0"
        );
        assert_eq!(json(Figure::change(Some(Figure::count(0)), third)), "null");
        assert_eq!(json(Figure::change(None, third)), "null");
        assert_eq!(json(Figure::change(third, None)), "null");
    }
}
