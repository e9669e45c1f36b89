//! Subscriptions and payments: trials, charges, failures, refunds, cancellations, changes of plan, returns.
//!
//! A subscription is charged at the end of a trial or a period. A failed charge is tried again three times, three days
//! apart, while access lasts. A cancellation stops the next charge and lets access run to the end of what was paid.

use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use super::chance::{Dice, Purpose, days, seconds};
use super::person::Who;
use super::plan::{self, Plan};
use super::sitting::Sitting;
use super::subscription::{Subscription, within};
use super::world::{Happening, World};
use crate::rows::{Cents, EventKind, Payment};

/// Share of newcomers who take a trial where one is offered, and of those the share who cancel during it.
const TAKES_TRIAL: f64 = 0.5;
const CANCELS_TRIAL: f64 = 0.42;
/// Chance that a charge fails, and that it fails once more after it failed.
const FAILS: f64 = 0.08;
const FAILS_AGAIN: f64 = 0.6;
const TRIES: u8 = 4;
const TRIES_AGAIN_AFTER: TimeDelta = TimeDelta::days(3);
/// Chance that a payment is given back, that it is given back whole, and the mean of days until then.
const REFUNDED: f64 = 0.03;
const REFUNDED_WHOLE: f64 = 0.7;
const REFUNDED_AFTER_DAYS: f64 = 4.0;
/// Former subscribers are this much easier to win.
const RETURNS: f64 = 2.5;
/// Chance to change the plan when looking at the offers, and to buy something single.
const CHANGES_PLAN: f64 = 0.04;
const BUYS_SINGLE: f64 = 0.06;
/// Share of people in the euro area who pay in euro; the platform bills everybody else in dollars.
const PAYS_EURO: f64 = 0.08;
/// Share of subscriptions whose store did not say the interval.
const UNNAMED_INTERVAL: f64 = 0.03;

const OFFERS: [&str; 4] = ["likes", "swipe_limit", "settings", "banner"];

/// An attempt to take money.
struct Charge {
    /// None for a single purchase.
    subscription_id: Option<Uuid>,
    kind: &'static str,
    amount: Cents,
    currency: &'static str,
    paid_at: Instant,
    failed: bool,
}

impl World {
    /// Somebody looks at the offers, and now and then takes one.
    pub(super) fn shop(&mut self, sitting: &mut Sitting) {
        let source = sitting.dice.pick(&OFFERS);
        self.report(sitting, EventKind::SubscriptionView { source });
        if !sitting.pass(5.0..60.0) {
            return;
        }
        let member = self.member(sitting.who);
        let buys = member.person.temperament.buys * if member.has_subscribed { RETURNS } else { 1.0 };
        match &member.subscription {
            None if sitting.dice.chance(buys) => {
                let plan = plan::choose(&mut sitting.dice);
                self.subscribe(sitting, plan);
            }
            Some(running) if running.paid && running.failures == 0 && sitting.dice.chance(CHANGES_PLAN) => {
                let plan = plan::choose(&mut sitting.dice);
                if plan.is_vip != running.plan.is_vip {
                    self.change_plan(sitting, plan);
                }
            }
            _ if sitting.dice.chance(BUYS_SINGLE) => {
                let charge = Charge {
                    subscription_id: None,
                    kind: "one_off",
                    amount: plan::choose_single(&mut sitting.dice),
                    currency: self.currency(sitting.who),
                    paid_at: sitting.now,
                    failed: sitting.dice.chance(FAILS),
                };
                self.charge(sitting.who, &mut sitting.dice, charge);
            }
            _ => {}
        }
    }

    fn subscribe(&mut self, sitting: &mut Sitting, plan: &'static Plan) {
        let at = sitting.now;
        let currency = self.currency(sitting.who);
        let newcomer = !self.member(sitting.who).has_subscribed;
        let dice = &mut sitting.dice;
        let trial = plan.trial_days.filter(|_| newcomer && dice.chance(TAKES_TRIAL));
        let trial_ends_at = trial.map(|days| at + TimeDelta::days(days));
        let cancels_at = trial_ends_at
            .filter(|_| dice.chance(CANCELS_TRIAL))
            .map(|end| within(dice, at, end));
        let subscription = Subscription {
            id: dice.id_at(at),
            plan,
            names_interval: !dice.chance(UNNAMED_INTERVAL),
            currency,
            started_at: at,
            trial_ends_at,
            due_at: trial_ends_at.unwrap_or(at),
            cancels_at,
            paid: false,
            failures: 0,
            changed_at: at,
        };
        let due_at = subscription.due_at;
        let member = self.member_mut(sitting.who);
        member.has_subscribed = true;
        member.subscription = Some(subscription);
        if trial.is_some() {
            self.schedule(due_at, Happening::Bill(sitting.who));
        } else {
            self.bill(sitting.who, at);
        }
        let purchase = EventKind::SubscriptionPurchase {
            plan: plan.name,
            price: plan.price,
            currency,
            trial: trial.is_some(),
        };
        self.report(sitting, purchase);
    }

    /// The running subscription ends and another one begins in the same instant.
    fn change_plan(&mut self, sitting: &mut Sitting, plan: &'static Plan) {
        if let Some(running) = self.member_mut(sitting.who).subscription.take() {
            self.end_subscription(sitting.who, running, sitting.now, true);
            self.subscribe(sitting, plan);
        }
    }

    fn currency(&self, who: Who) -> &'static str {
        let euro_area = self.member(who).person.country.is_some_and(|country| country.pays_euro);
        let mut habit = self.seed.dice(Purpose::PrivateLife, who, 1);
        if euro_area && habit.chance(PAYS_EURO) {
            "EUR"
        } else {
            "USD"
        }
    }

    /// A trial, a period or a grace period is over: the subscription ends or is charged.
    pub(super) fn bill(&mut self, who: Who, at: Instant) {
        let member = self.member_mut(who);
        // A subscription that ended early leaves its bill on the agenda.
        let Some(mut subscription) = member.subscription.take_if(|running| running.due_at == at) else {
            return;
        };
        if subscription.cancels_at.is_some_and(|canceled| canceled <= at) {
            self.end_subscription(who, subscription, at, false);
            return;
        }
        let number = member.bills;
        member.bills += 1;
        let mut dice = self.seed.dice(Purpose::Bill, who, number);
        let failed = dice.chance(if subscription.failures > 0 { FAILS_AGAIN } else { FAILS });
        let charge = Charge {
            subscription_id: Some(subscription.id),
            kind: if subscription.paid { "renewal" } else { "initial" },
            amount: subscription.plan.price,
            currency: subscription.currency,
            paid_at: at,
            failed,
        };
        let given_back_at = self.charge(who, &mut dice, charge);
        subscription.changed_at = at;
        if failed {
            subscription.failures += 1;
            if subscription.failures == TRIES {
                self.end_subscription(who, subscription, at, false);
                return;
            }
            subscription.due_at = at + TRIES_AGAIN_AFTER;
        } else {
            subscription.begin_period(&mut dice, at, given_back_at);
        }
        self.schedule(subscription.due_at, Happening::Bill(who));
        self.member_mut(who).subscription = Some(subscription);
    }

    /// Charges somebody and writes the payment; when it will be given back whole, that instant.
    fn charge(&mut self, who: Who, dice: &mut Dice, charge: Charge) -> Option<Instant> {
        let Charge {
            amount,
            paid_at,
            failed,
            ..
        } = charge;
        let id = dice.id_at(paid_at);
        let refunded = !failed && dice.chance(REFUNDED);
        let whole = dice.chance(REFUNDED_WHOLE);
        let given_back_at = paid_at + days(dice.exponential(REFUNDED_AFTER_DAYS)) + seconds(600.0);
        let refunded_at = Some(given_back_at).filter(|_| refunded);
        self.write(Payment {
            id,
            user_id: self.member(who).person.id,
            subscription_id: charge.subscription_id,
            kind: charge.kind,
            amount,
            currency: charge.currency,
            status: match (failed, refunded_at) {
                (true, _) => "failed",
                (false, Some(_)) => "refunded",
                (false, None) => "succeeded",
            },
            paid_at,
            refunded_at,
            refunded_amount: refunded_at.map(|_| if whole { amount } else { Cents(amount.0 / 2) }),
            updated_at: refunded_at.unwrap_or(paid_at),
        });
        refunded_at.filter(|_| whole)
    }

    /// Ends a subscription and writes it. `canceled` when the end is asked for in the same instant.
    pub(super) fn end_subscription(&mut self, who: Who, mut subscription: Subscription, at: Instant, canceled: bool) {
        let asked_before = subscription.cancels_at.filter(|asked| *asked <= at);
        subscription.cancels_at = asked_before.or(canceled.then_some(at));
        let user_id = self.member(who).person.id;
        self.write(subscription.row(user_id, Some(at)));
    }
}
