//! Floor, product, floor: what a ratio is measured by, on a machine that others share.

use std::fmt;
use std::time::Duration;

/// Two floors of a round that are further apart than this were not measured on the same machine, so to speak.
const APART_AT_MOST: f64 = 0.1;

/// Rounds that are tried for each that counts.
const TRIES: usize = 4;

/// What both took.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The mean of the floors before and after.
    pub floor: Duration,
    /// What is measured.
    pub product: Duration,
}

impl Round {
    /// The floor's time in terms of the product's: the product's rate in terms of the floor's, where both do the same work.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.floor.as_secs_f64() / self.product.as_secs_f64()
    }

    /// The product's time in terms of the floor's.
    #[must_use]
    pub fn time(&self) -> f64 {
        self.product.as_secs_f64() / self.floor.as_secs_f64()
    }
}

/// Measures floor, product, floor until `count` rounds have floors that agree, each floor serving the rounds before and
/// after it. Returns the round of the median ratio.
///
/// # Errors
/// A measurement fails, or the floors hardly ever agree.
#[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
pub async fn rounds(
    what: &str,
    count: usize,
    mut floor: impl AsyncFnMut() -> anyhow::Result<Duration>,
    mut product: impl AsyncFnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Round> {
    let mut good: Vec<Round> = Vec::new();
    let mut before = floor().await?;
    for _ in 0..count * TRIES {
        let product = product().await?;
        let after = floor().await?;
        let is_good = before.abs_diff(after).as_secs_f64() <= APART_AT_MOST * before.max(after).as_secs_f64();
        println!(
            "{what}: floor {:.3} s, product {:.3} s, floor {:.3} s{}",
            before.as_secs_f64(),
            product.as_secs_f64(),
            after.as_secs_f64(),
            if is_good { "" } else { ": thrown away" }
        );
        if is_good {
            let floor = (before + after) / 2;
            good.push(Round { floor, product });
        }
        before = after;
        if good.len() == count {
            good.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
            return Ok(good[count / 2]);
        }
    }
    Err(NotQuiet {
        what: what.to_owned(),
        count,
        tried: count * TRIES,
    }
    .into())
}

/// That floors hardly ever agreed.
#[derive(Debug)]
pub struct NotQuiet {
    what: String,
    count: usize,
    tried: usize,
}

impl fmt::Display for NotQuiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, count, tried } = self;
        write!(
            f,
            "{what}: of {tried} rounds, fewer than {count} had floors that agree: the machine is not quiet enough"
        )
    }
}

impl std::error::Error for NotQuiet {}
