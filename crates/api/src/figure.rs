//! Numbers as they are answered: exact decimals until here, rounded once, half away from zero, then JSON numbers.

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

/// A rounded number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure(Decimal);

impl Figure {
    /// Money, with 2 decimals.
    pub(crate) fn money(amount: Decimal) -> Self {
        Self::rounded(amount, 2)
    }

    /// A mean of counts or of money, or an amount per user: `sum / of`, with 2 decimals. None when `of` is 0.
    pub(crate) fn mean(sum: Decimal, of: impl Into<Decimal>) -> Option<Self> {
        Some(Self::rounded(sum.checked_div(of.into())?, 2))
    }

    /// A rate in per cent, from its parts, with 1 decimal. None when the whole is 0.
    pub(crate) fn rate(part: impl Into<Decimal>, whole: impl Into<Decimal>) -> Option<Self> {
        let part = part.into().checked_mul(Decimal::ONE_HUNDRED)?;
        Some(Self::rounded(part.checked_div(whole.into())?, 1))
    }

    /// A number of seconds or of minutes, with 1 decimal. None when it is no number.
    pub(crate) fn duration(length: f64) -> Option<Self> {
        Some(Self::rounded(Decimal::from_f64(length)?, 1))
    }

    fn rounded(number: Decimal, decimals: u32) -> Self {
        Self(number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero))
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_f64().serialize(serializer)
    }
}

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
        assert_eq!(json(Figure::mean(Decimal::TEN, 0)), "null");
        assert_eq!(json(Figure::duration(f64::NAN)), "null");
        assert_eq!(json(Figure::rate(0, 7)), "0.0");
    }
}
