//! Money day by day and plan by plan, by asking every subscription at every midnight. Slow, and plain to read beside
//! metrics.md 4. Amounts are cents, recurring revenue millionths.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use kindred_model::{Instant, day_end, day_start};

use crate::support::billing::{Billing, Payment, Subscription};

/// A row of `revenue_metrics`: the counts from `new_subscriptions` to `active_at_end`, then money and rates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlanDay {
    pub(super) counts: [i64; 6],
    pub(super) gross_and_refunds: [i128; 2],
    pub(super) mrr: i128,
    pub(super) lifetime_value: Option<f64>,
    pub(super) churn_rate: Option<f64>,
}

/// A row of `mrr_movements_daily`, in the order of its columns.
pub(super) type Movements = [i128; 7];

/// A history without those who do not count.
pub(super) struct NaiveMoney<'a> {
    subscriptions: Vec<&'a Subscription>,
    payments: Vec<&'a Payment>,
}

impl<'a> NaiveMoney<'a> {
    pub(super) fn new(billing: &'a Billing) -> Self {
        let counts = |user: i64, foreign: bool| !foreign && !billing.internal_users.contains(&user);
        let subscriptions = billing.subscriptions.iter();
        let payments = billing.payments.iter().filter(|payment| payment.status != "failed");
        Self {
            subscriptions: subscriptions.filter(|row| counts(row.user, row.foreign)).collect(),
            payments: payments.filter(|row| counts(row.user, row.foreign)).collect(),
        }
    }

    /// The rows of `revenue_metrics` of a day, by plan.
    pub(super) fn plan_days(&self, day: NaiveDate) -> BTreeMap<String, PlanDay> {
        let plans = self.plans_by(day).into_iter();
        plans.map(|plan| (plan.clone(), self.plan_day(&plan, day))).collect()
    }

    fn plan_day(&self, plan: &str, day: NaiveDate) -> PlanDay {
        let on_day = |at: Option<Instant>| at.is_some_and(|at| at.date_naive() == day);
        let payments = || {
            self.payments
                .iter()
                .filter(|payment| is_of(&self.plan_of(payment), plan))
        };
        let paid = || payments().filter(|payment| on_day(Some(payment.paid_at)));
        let canceled = self.of(plan).filter(|row| on_day(row.canceled_at));
        let refunded = payments().filter(|payment| on_day(payment.refunded_at));
        let churned = self.churned(plan, day);
        let (at_start, at_end) = (self.running(plan, day_start(day)), self.running(plan, day_end(day)));
        let counts = [
            paid().filter(|payment| payment.kind == "initial").count(),
            paid().filter(|payment| payment.kind == "renewal").count(),
            canceled.count(),
            churned,
            at_start.len(),
            at_end.len(),
        ];
        let mrr = at_end.iter().map(|row| monthly(row)).sum();
        PlanDay {
            counts: counts.map(|count| i64::try_from(count).unwrap()),
            gross_and_refunds: [
                paid().map(|payment| payment.amount).sum(),
                refunded
                    .map(|payment| payment.refunded_amount.unwrap_or(payment.amount))
                    .sum(),
            ],
            mrr,
            lifetime_value: self.lifetime_value(plan, day, mrr, at_end.len()),
            churn_rate: (!at_start.is_empty()).then(|| 100.0 * float(churned) / float(at_start.len())),
        }
    }

    fn lifetime_value(&self, plan: &str, day: NaiveDate, mrr: i128, running: usize) -> Option<f64> {
        let purchases = self.payments.iter().filter(|payment| payment.kind == "initial");
        let purchases = purchases.filter(|payment| is_of(&self.plan_of(payment), plan));
        let first = purchases.map(|payment| payment.paid_at.date_naive()).min()?;
        let days: Vec<_> = (0..180)
            .map(|ago| day - Days::new(ago))
            .filter(|day| *day >= first)
            .collect();
        let churned: usize = days.iter().map(|day| self.churned(plan, *day)).sum();
        let active: usize = days.iter().map(|day| self.running(plan, day_start(*day)).len()).sum();
        let is_known = days.len() >= 28 && churned > 0 && active > 0 && running > 0;
        let of_each = mrr as f64 / 1e6 / float(running);
        is_known.then(|| of_each / (30.4375 * float(churned) / float(active)))
    }

    /// The row of `mrr_movements_daily` of a day; `first` is the first day of the history.
    pub(super) fn movements(&self, first: NaiveDate, day: NaiveDate) -> Movements {
        let users: BTreeSet<_> = self.subscriptions.iter().map(|row| row.user).collect();
        let [
            mut opening,
            mut new,
            mut reactivation,
            mut expansion,
            mut contraction,
            mut churn,
            mut closing,
        ] = [0; 7];
        for user in users {
            let (m0, m1) = (self.user_mrr(user, day_start(day)), self.user_mrr(user, day_end(day)));
            opening += m0;
            closing += m1;
            if m0 == 0 && m1 > 0 {
                let mut earlier = first.iter_days().take_while(|earlier| *earlier < day);
                if earlier.any(|earlier| self.user_mrr(user, day_end(earlier)) > 0) {
                    reactivation += m1;
                } else {
                    new += m1;
                }
            } else if m1 == 0 {
                churn += m0;
            } else {
                expansion += (m1 - m0).max(0);
                contraction += (m0 - m1).max(0);
            }
        }
        [opening, new, reactivation, expansion, contraction, churn, closing]
    }

    fn user_mrr(&self, user: i64, at: Instant) -> i128 {
        let running = self.running("all", at).into_iter();
        running.filter(|row| row.user == user).map(monthly).sum()
    }

    /// `all`, and every plan of which anything has happened by the end of the day.
    fn plans_by(&self, day: NaiveDate) -> BTreeSet<String> {
        let subscriptions = self.subscriptions.iter().flat_map(|row| {
            let ended_at = row.ended_at.filter(|_| self.paid_at(row).is_some());
            let instants = [Some(row.started_at), row.canceled_at, ended_at];
            instants.map(|at| (row.plan.clone(), at))
        });
        let payments = self.payments.iter();
        let payments = payments.map(|payment| (self.plan_of(payment), Some(payment.paid_at)));
        let happened = subscriptions.chain(payments);
        let happened = happened.filter(|(_, at)| at.is_some_and(|at| at < day_end(day)));
        happened.map(|(plan, _)| plan).chain(["all".to_owned()]).collect()
    }

    fn plan_of(&self, payment: &Payment) -> String {
        let mut subscriptions = self.subscriptions.iter();
        match subscriptions.find(|row| payment.subscription == Some(row.id)) {
            _ if payment.kind == "one_off" => "one_off".to_owned(),
            Some(subscription) => subscription.plan.clone(),
            None => "unknown".to_owned(),
        }
    }

    fn of(&self, plan: &str) -> impl Iterator<Item = &'a Subscription> {
        let rows = self.subscriptions.iter().copied();
        rows.filter(move |row| is_of(&row.plan, plan))
    }

    fn running(&self, plan: &str, at: Instant) -> Vec<&'a Subscription> {
        let paid = |row: &Subscription| self.paid_at(row).is_some_and(|paid_at| paid_at < at);
        let rows = self.of(plan).filter(|row| row.ended_at.is_none_or(|end| end >= at));
        rows.filter(|row| paid(row)).collect()
    }

    fn churned(&self, plan: &str, day: NaiveDate) -> usize {
        let ended = self
            .of(plan)
            .filter(|row| row.ended_at.is_some_and(|at| at.date_naive() == day));
        ended.filter(|row| self.paid_at(row).is_some()).count()
    }

    fn paid_at(&self, subscription: &Subscription) -> Option<Instant> {
        let purchases = self.payments.iter().filter(|payment| payment.kind == "initial");
        let purchases = purchases.filter(|payment| payment.subscription == Some(subscription.id));
        purchases.map(|payment| payment.paid_at).min()
    }
}

fn is_of(plan: &str, asked: &str) -> bool {
    asked == "all" || plan == asked
}

/// Millionths of a month: a price of cents, times what is charged in a year, by twelve, rounded half away from zero.
fn monthly(row: &Subscription) -> i128 {
    let interval = row.interval.filter(|interval| *interval != "fortnight");
    let of_plan = || row.plan.rsplit_once('_').map(|(_, suffix)| suffix);
    let times_a_year = match interval.or_else(of_plan) {
        Some("week" | "weekly") => 52,
        Some("quarter" | "quarterly") => 4,
        Some("half_year" | "semiannual") => 2,
        Some("year" | "yearly" | "annual") => 1,
        _ => 12,
    };
    (row.price * 10_000 * times_a_year * 2 + 12) / 24
}

fn float(count: usize) -> f64 {
    u32::try_from(count).unwrap().into()
}
