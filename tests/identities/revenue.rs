//! Random subscriptions and payments: their money holds the identities, and is what the naive way comes to.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use chrono::{Days, NaiveDate, TimeDelta};
use kindred_engine::Rows;
use kindred_model::{DayWindow, Instant, day_start};
use kindred_testkit::day;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::naive_money::{Movements, NaiveMoney, PlanDay};
use crate::support::billing::{Billing, Books, Payment, Subscription};

/// Long enough for the 180 days of a lifetime value to begin after something has happened.
const DAYS: i64 = 250;
const PLANS: [&str; 5] = [
    "gold",
    "gold_weekly",
    "gold_yearly",
    "gold_semiannual",
    "silver_quarterly",
];
const INTERVALS: [Option<&str>; 7] = [
    Some("week"),
    Some("month"),
    Some("quarter"),
    Some("half_year"),
    Some("year"),
    Some("fortnight"),
    None,
];
/// Few, so that they come back. The last is internal.
const USERS: i64 = 6;

fn first_day() -> NaiveDate {
    day("2025-07-01")
}

/// An instant of the days in `days`: midnight, the last before it, or any in between.
fn instants(days: std::ops::Range<i64>) -> impl Strategy<Value = TimeDelta> {
    let day = TimeDelta::days(1);
    let of_day = prop_oneof![
        Just(TimeDelta::zero()),
        Just(day - TimeDelta::microseconds(1)),
        (1_i64..86_399).prop_map(TimeDelta::seconds),
    ];
    (days, of_day).prop_map(|(days, of_day)| TimeDelta::days(days) + of_day)
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.08)
}

prop_compose! {
    fn subscriptions()(
        user in 0..USERS, plan in select(&PLANS), interval in select(&INTERVALS), price in 0_i128..30_000,
        foreign in rarely(), start in instants(0..DAYS), canceled in option::of(instants(0..20)),
        // Some end before they began.
        ended in option::weighted(0.8, instants(-3..60)),
    ) -> Subscription {
        let started_at = day_start(first_day()) + start;
        let after = |delta: Option<TimeDelta>| delta.map(|delta| started_at + delta);
        Subscription {
            id: 0, user, plan: plan.to_owned(), interval, price, foreign, started_at,
            canceled_at: after(canceled), ended_at: after(ended),
        }
    }
}

prop_compose! {
    fn payments()(
        kind in select(&["initial", "initial", "initial", "renewal", "one_off"]),
        status in select(&["succeeded", "succeeded", "refunded", "failed"]),
        foreign in rarely(), amount in 0_i128..30_000,
        paid in prop_oneof![Just(TimeDelta::zero()), instants(0..30)],
        refunded in option::weighted(0.3, instants(0..30)), refunded_amount in option::of(0_i128..30_000),
    ) -> Payment {
        // From the beginning of its subscription, which is not yet known.
        let paid_at = Instant::UNIX_EPOCH + paid;
        Payment {
            user: 0, subscription: None, kind, status, amount, foreign, paid_at,
            refunded_at: refunded.map(|delta| paid_at + delta), refunded_amount,
        }
    }
}

/// Subscriptions with up to three payments each, most of them for it and by its user.
fn billings() -> impl Strategy<Value = Billing> {
    let payment = (payments(), rarely(), rarely());
    let bought = (subscriptions(), prop::collection::vec(payment, 0..4));
    prop::collection::vec(bought, 0..40).prop_map(|bought| {
        let mut billing = Billing {
            internal_users: vec![USERS - 1],
            ..Billing::default()
        };
        for (id, (mut subscription, payments)) in (1..).zip(bought) {
            subscription.id = id;
            let since = subscription.started_at - Instant::UNIX_EPOCH;
            for (mut payment, of_another, by_another) in payments {
                payment.paid_at += since;
                payment.refunded_at = payment.refunded_at.map(|at| at + since);
                payment.user = (subscription.user + i64::from(by_another)) % USERS;
                payment.subscription = Some(id + u128::from(of_another)).filter(|_| payment.kind != "one_off");
                billing.payments.push(payment);
            }
            billing.subscriptions.push(subscription);
        }
        billing
    })
}

fn windows() -> impl Strategy<Value = DayWindow> {
    (0..DAYS.unsigned_abs(), 1_u64..60).prop_map(|(from, length)| {
        let from = first_day() + Days::new(from);
        DayWindow::new(from, from + Days::new(length)).unwrap()
    })
}

/// Both tables, and what the identities say against them.
fn compute(billing: &Billing, window: DayWindow) -> [Rows; 3] {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build();
    runtime.unwrap().block_on(async {
        let books = Books::open(billing, window, window.start()).await;
        [
            books.answer("revenue/revenue_metrics").await,
            books.answer("revenue/mrr_movements_daily").await,
            books.answer("quality/revenue_identities").await,
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn money_holds_its_identities_and_is_what_every_midnight_counts(billing in billings(), window in windows()) {
        let [metrics, movements, violations] = compute(&billing, window);
        prop_assert!(violations.is_empty(), "{violations:?}");

        let naive = NaiveMoney::new(&billing);
        let (mut metrics, mut movements) = (plan_days(&metrics).into_iter(), moved(&movements).into_iter());
        for day in window.days() {
            for (plan, expected) in naive.plan_days(day) {
                let found = metrics.next();
                let same = found.as_ref().is_some_and(|(found_day, found_plan, found)| {
                    (*found_day, found_plan) == (day, &plan) && is_same(found, &expected)
                });
                prop_assert!(same, "{found:?} instead of {day} {plan} {expected:?}");
            }
            prop_assert_eq!(movements.next(), Some((day, naive.movements(first_day() - Days::new(3), day))));
        }
        prop_assert_eq!(metrics.next(), None);
        prop_assert_eq!(movements.next(), None);
    }
}

fn is_same(found: &PlanDay, expected: &PlanDay) -> bool {
    let close = |found: Option<f64>, expected: Option<f64>| match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs(),
        _ => found == expected,
    };
    let rates = |row: &PlanDay| PlanDay {
        lifetime_value: None,
        churn_rate: None,
        ..row.clone()
    };
    rates(found) == rates(expected)
        && close(found.lifetime_value, expected.lifetime_value)
        && close(found.churn_rate, expected.churn_rate)
}

fn plan_days(rows: &Rows) -> Vec<(NaiveDate, String, PlanDay)> {
    let mut answer = Vec::new();
    for batch in &rows.batches {
        let plans = column(batch, "subscription_plan").as_string::<i32>();
        for row in 0..batch.num_rows() {
            let counts = [
                "new_subscriptions",
                "renewed_subscriptions",
                "canceled_subscriptions",
                "churned_subscriptions",
                "active_at_start",
                "active_at_end",
            ];
            let plan_day = PlanDay {
                counts: counts.map(|name| column(batch, name).as_primitive::<Int64Type>().value(row)),
                gross_and_refunds: ["gross_revenue", "refunds"].map(|name| units(batch, name, row)),
                mrr: units(batch, "monthly_recurring_revenue", row),
                lifetime_value: rate(batch, "customer_lifetime_value", row),
                churn_rate: rate(batch, "churn_rate", row),
            };
            answer.push((date(batch, row), plans.value(row).to_owned(), plan_day));
        }
    }
    answer
}

fn moved(rows: &Rows) -> Vec<(NaiveDate, Movements)> {
    let mut answer = Vec::new();
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            let names = [
                "opening_mrr",
                "new",
                "reactivation",
                "expansion",
                "contraction",
                "churn",
                "closing_mrr",
            ];
            answer.push((date(batch, row), names.map(|name| units(batch, name, row))));
        }
    }
    answer
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    let column = batch.column_by_name(name);
    column.unwrap_or_else(|| panic!("the answer has no column {name}"))
}

fn date(batch: &RecordBatch, row: usize) -> NaiveDate {
    let days = column(batch, "date").as_primitive::<Date32Type>();
    days.value_as_date(row).unwrap()
}

/// A decimal in its last digits.
fn units(batch: &RecordBatch, name: &str, row: usize) -> i128 {
    column(batch, name).as_primitive::<Decimal128Type>().value(row)
}

fn rate(batch: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = column(batch, name);
    column
        .is_valid(row)
        .then(|| column.as_primitive::<Float64Type>().value(row))
}
