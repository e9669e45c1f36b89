//! A subscription that has not ended.

use kindred_model::Instant;
use uuid::Uuid;

use super::chance::Dice;
use super::plan::Plan;
use crate::rows;

/// Its plan, how far it is paid, and whether it will be paid on.
pub(super) struct Subscription {
    pub(super) id: Uuid,
    pub(super) plan: &'static Plan,
    pub(super) names_interval: bool,
    pub(super) currency: &'static str,
    pub(super) started_at: Instant,
    pub(super) trial_ends_at: Option<Instant>,
    /// When access ends unless it is paid on.
    pub(super) due_at: Instant,
    /// When the renewal is, or will be, canceled within the present period.
    pub(super) cancels_at: Option<Instant>,
    pub(super) paid: bool,
    pub(super) failures: u8,
    pub(super) changed_at: Instant,
}

impl Subscription {
    /// A charge has succeeded. Access lasts for an interval, or until the payment is given back.
    pub(super) fn begin_period(&mut self, dice: &mut Dice, at: Instant, given_back_at: Option<Instant>) {
        let ends_at = self.plan.interval.after(at);
        self.paid = true;
        self.failures = 0;
        self.cancels_at = dice
            .chance(self.plan.interval.cancels())
            .then(|| within(dice, at, ends_at));
        self.due_at = ends_at;
        if let Some(given_back_at) = given_back_at.filter(|back| *back < ends_at) {
            self.due_at = given_back_at;
            self.cancels_at = Some(given_back_at);
        }
    }

    /// The subscription's row: as of its last charge, with the cancellation and the end that are known.
    pub(super) fn row(&self, user_id: Uuid, ended_at: Option<Instant>) -> rows::Subscription {
        rows::Subscription {
            id: self.id,
            user_id,
            plan: self.plan.name,
            billing_interval: self.names_interval.then_some(self.plan.interval.as_str()),
            price: self.plan.price,
            currency: self.currency,
            status: match (self.failures, self.paid) {
                (1.., _) => "past_due",
                (0, true) => "active",
                (0, false) => "trialing",
            },
            started_at: self.started_at,
            trial_ends_at: self.trial_ends_at,
            canceled_at: self.cancels_at,
            ended_at,
            updated_at: self.changed_at,
        }
    }
}

/// An instant strictly within the span.
pub(super) fn within(dice: &mut Dice, from: Instant, to: Instant) -> Instant {
    from + dice.span(1.0..(to - from).as_seconds_f64() - 1.0)
}
