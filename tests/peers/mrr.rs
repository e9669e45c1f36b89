//! Recurring revenue of Kill Bill's price list, as the metric of a plan for each price, to the four decimals that it
//! asserts.

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use kindred_model::{DayWindow, day_end};
use kindred_testkit::{at, day};
use serde::Deserialize;
use serde_json::Value;

use crate::support::billing::{Billing, Books, Payment, Subscription};

#[derive(Deserialize)]
struct Case {
    id: String,
    settings: Settings,
    rows: Vec<Price>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Settings {
    rounding_decimals: u32,
}

#[derive(Deserialize)]
struct Price {
    billing_period: String,
    price: String,
}

#[derive(Deserialize)]
struct Expected {
    mrr: Vec<String>,
}

impl Price {
    /// What is billed without a period is no subscription here but a single purchase, which brings no recurring
    /// revenue; a subscription whose interval is unknown is taken as monthly.
    fn interval(&self) -> Option<&'static str> {
        match self.billing_period.as_str() {
            "monthly" => Some("month"),
            "annual" => Some("year"),
            "no_billing_period" => None,
            other => panic!("the period {other} is new: say what it is"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recurring_revenue_of_monthly_and_annual_prices_is_what_peers_assert() {
    let file: Value = serde_json::from_str(include_str!("../fixtures/peer_cases.json")).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let mut compared = 0;
    for case in cases.filter(|case| case["kind"] == "mrr") {
        let case: Case = serde_json::from_value(case.clone()).unwrap();
        let prices = case.rows.iter().zip(&case.expected.mrr).enumerate();
        let prices = prices.filter_map(|(row, (price, expected))| Some((row, price, price.interval()?, expected)));
        let prices: Vec<_> = prices.collect();

        let mut billing = Billing::default();
        for (row, price, interval, _) in &prices {
            billing.buy(*row, interval, decimal(&price.price, 2));
        }
        let found = recurring_revenue(&billing).await;
        let expected = prices
            .iter()
            .map(|(row, .., expected)| (plan(*row), decimal(expected, 6)));
        let rounded = found.into_iter().map(|(plan, mrr)| {
            let unit = 10_i128.pow(6 - case.settings.rounding_decimals);
            (plan, (mrr + unit / 2) / unit * unit)
        });
        assert_eq!(rounded.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{}", case.id);
        assert_eq!(case.rows.len() - prices.len(), 4, "single purchases");
        compared += prices.len();
    }
    assert_eq!(compared, 59);
}

impl Billing {
    /// Somebody subscribes to the price, for good.
    fn buy(&mut self, row: usize, interval: &'static str, price: i128) {
        let (user, id) = (i64::try_from(row).unwrap(), row as u128);
        let bought_at = at("2026-01-01T10:00:00Z");
        self.subscriptions.push(Subscription {
            id,
            user,
            plan: plan(row),
            interval: Some(interval),
            price,
            started_at: bought_at,
            ..Subscription::default()
        });
        self.payments.push(Payment {
            user,
            subscription: Some(id),
            kind: "initial",
            status: "succeeded",
            amount: price,
            paid_at: bought_at,
            ..Payment::default()
        });
    }
}

/// Of each plan at the end of a day, in millionths.
async fn recurring_revenue(billing: &Billing) -> Vec<(String, i128)> {
    let today = day("2026-01-02");
    let books = Books::open(billing, DayWindow::day(today), day_end(today)).await;
    let rows = books.answer("revenue/revenue_metrics").await;
    let mut answer = Vec::new();
    for batch in &rows.batches {
        let plans = batch.column_by_name("subscription_plan").unwrap().as_string::<i32>();
        let mrr = batch.column_by_name("monthly_recurring_revenue").unwrap();
        let mrr = mrr.as_primitive::<Decimal128Type>().values();
        let rows = plans.iter().flatten().zip(mrr);
        answer.extend(rows.map(|(plan, mrr)| (plan.to_owned(), *mrr)));
    }
    answer.retain(|(plan, _)| plan != "all");
    answer
}

/// In the order of their prices.
fn plan(row: usize) -> String {
    format!("plan_{row:03}")
}

/// `1.6625` in units of the last of its `digits` behind the point; what is beyond them is zero.
fn decimal(text: &str, digits: usize) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap();
    let fraction = format!("{fraction:0<digits$}");
    let (kept, rest) = fraction.split_at(digits);
    assert_eq!(rest.trim_end_matches('0'), "", "{text} has more digits than {digits}");
    format!("{whole}{kept}").parse().unwrap()
}
