//! Lengths of time as the API and the settings write them: `72h`, `30d`, `12w`, `6m`, `4q`.

use std::fmt;
use std::str::FromStr;

/// What a timeframe counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeframeUnit {
    /// Hours of 60 minutes.
    Hours,
    /// Days of 24 hours.
    Days,
    /// Spans of 7 days.
    Weeks,
    /// Calendar months, the current one included.
    Months,
    /// Calendar quarters, the current one included.
    Quarters,
}

/// A count of one unit: between 1 and 9999 of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timeframe {
    /// How many.
    pub count: u16,
    /// Of what.
    pub unit: TimeframeUnit,
}

/// A text that is no timeframe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no timeframe; write a number from 1 to 9999 and one of h, d, w, m, q, for example 30d")]
pub struct MalformedTimeframe(String);

impl FromStr for Timeframe {
    type Err = MalformedTimeframe;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedTimeframe(text.chars().take(40).collect());
        let unit = match text.chars().last().ok_or_else(malformed)? {
            'h' => TimeframeUnit::Hours,
            'd' => TimeframeUnit::Days,
            'w' => TimeframeUnit::Weeks,
            'm' => TimeframeUnit::Months,
            'q' => TimeframeUnit::Quarters,
            _ => return Err(malformed()),
        };
        let digits = &text[..text.len() - 1];
        let well_formed = (1..=4).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            return Err(malformed());
        }
        let count = digits.parse().map_err(|_| malformed())?;
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            TimeframeUnit::Hours => 'h',
            TimeframeUnit::Days => 'd',
            TimeframeUnit::Weeks => 'w',
            TimeframeUnit::Months => 'm',
            TimeframeUnit::Quarters => 'q',
        };
        write!(f, "{}{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in ["1h", "72h", "30d", "12w", "6m", "4q", "9999d"] {
            assert_eq!(text.parse::<Timeframe>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "d", "0d", "07d", "10000d", "-1d", "+1d", "1.5d", "1y", "1D", " 1d", "1d ", "é", "1é", "٣d",
        ] {
            assert!(text.parse::<Timeframe>().is_err(), "{text:?} was taken");
        }
    }
}
