//! What is sold: plans, their intervals and prices, and single purchases.

use chrono::{Months, TimeDelta};
use kindred_model::Instant;

use super::chance::Dice;
use crate::rows::Cents;

/// How often a plan is paid.
#[derive(Clone, Copy)]
pub(super) enum Interval {
    Week,
    Month,
    Quarter,
    HalfYear,
    Year,
}

impl Interval {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
        }
    }

    /// The same time one interval later; the last of a shorter month.
    pub(super) fn after(self, at: Instant) -> Instant {
        let months = match self {
            Self::Week => return at + TimeDelta::days(7),
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        };
        at.checked_add_months(Months::new(months))
            .expect("a year from now is a date")
    }

    /// Chance to cancel within a period: a long commitment is given up more often when it ends, a short one every week.
    pub(super) const fn cancels(self) -> f64 {
        match self {
            Self::Week => 0.22,
            Self::Month => 0.24,
            Self::Quarter => 0.34,
            Self::HalfYear => 0.42,
            Self::Year => 0.5,
        }
    }
}

/// A plan of the price list.
pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) interval: Interval,
    pub(super) price: Cents,
    /// Free days for those who never subscribed, if they take them.
    pub(super) trial_days: Option<i64>,
    /// Whether it is of the dearer tier.
    pub(super) is_vip: bool,
}

const fn plan(name: &'static str, interval: Interval, cents: u32, trial_days: Option<i64>, is_vip: bool) -> Plan {
    Plan {
        name,
        interval,
        price: Cents(cents),
        trial_days,
        is_vip,
    }
}

/// The price list, and how often each is chosen.
const PLANS: [(&Plan, f64); 8] = [
    (&plan("premium_weekly", Interval::Week, 799, None, false), 0.14),
    (&plan("premium_monthly", Interval::Month, 1_999, Some(7), false), 0.38),
    (
        &plan("premium_quarterly", Interval::Quarter, 4_499, Some(7), false),
        0.13,
    ),
    (
        &plan("premium_semiannual", Interval::HalfYear, 6_999, None, false),
        0.05,
    ),
    (&plan("premium_annual", Interval::Year, 11_999, Some(7), false), 0.11),
    (&plan("vip_weekly", Interval::Week, 1_499, None, true), 0.04),
    (&plan("vip_monthly", Interval::Month, 3_999, Some(3), true), 0.11),
    (&plan("vip_annual", Interval::Year, 24_999, None, true), 0.04),
];

/// What is bought without a subscription.
const SINGLES: [(Cents, f64); 3] = [(Cents(399), 0.5), (Cents(999), 0.35), (Cents(2_499), 0.15)];

/// What is offered for a price, as the platform's own shop shows it.
#[derive(Clone, Copy)]
pub struct Offer {
    /// The plan's name, such as `premium_monthly`.
    pub plan: &'static str,
    /// How often it is paid: `week`, `month`, `quarter`, `half_year` or `year`.
    pub billing_interval: &'static str,
    /// The price of an interval, in hundredths of [`Offer::CURRENCY`].
    pub cents: u32,
    interval: Interval,
}

impl Offer {
    /// What prices are in.
    pub const CURRENCY: &'static str = "USD";

    /// When an interval that was paid at an instant is over.
    #[must_use]
    pub fn renews_at(&self, paid_at: Instant) -> Instant {
        self.interval.after(paid_at)
    }
}

/// The price list.
pub fn offers() -> impl Iterator<Item = Offer> {
    PLANS.iter().map(|(plan, _)| Offer {
        plan: plan.name,
        billing_interval: plan.interval.as_str(),
        cents: plan.price.0,
        interval: plan.interval,
    })
}

/// A plan, by how often each is chosen.
pub(super) fn choose(dice: &mut Dice) -> &'static Plan {
    dice.weighted(&PLANS)
}

/// The price of a single purchase: a boost, a pack of super likes.
pub(super) fn choose_single(dice: &mut Dice) -> Cents {
    dice.weighted(&SINGLES)
}
