//! Money computed from values: the real queries, over subscriptions and payments that a test makes up.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Date32Type;
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Rows, Session, Value};
use kindred_lake::Lake;
use kindred_model::{DayWindow, Instant};
use tempfile::TempDir;

/// A row of the fact `subscriptions`, in the reporting currency unless `foreign`; the price in cents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscription {
    pub(crate) id: u128,
    pub(crate) user: i64,
    pub(crate) plan: String,
    pub(crate) interval: Option<&'static str>,
    pub(crate) price: i128,
    pub(crate) foreign: bool,
    pub(crate) started_at: Instant,
    pub(crate) canceled_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
}

/// A row of the fact `payments`, in the reporting currency unless `foreign`; amounts in cents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payment {
    pub(crate) user: i64,
    pub(crate) subscription: Option<u128>,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) amount: i128,
    pub(crate) foreign: bool,
    pub(crate) paid_at: Instant,
    pub(crate) refunded_at: Option<Instant>,
    pub(crate) refunded_amount: Option<i128>,
}

/// Everything that was ever subscribed and paid, and by whom it does not count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Billing {
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) internal_users: Vec<i64>,
}

/// A session over a billing history, and the parameters of a window.
pub(crate) struct Books {
    session: Session,
    library: QueryLibrary,
    params: Params,
    _folder: TempDir,
}

impl Books {
    /// The facts, and what changed in them, whatever the window.
    pub(crate) async fn open(billing: &Billing, window: DayWindow, as_of: Instant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions {
            memory_limit: 256 << 20,
            spill_folder: folder.path().join("spill"),
            deadline: Duration::from_secs(60),
            target_partitions: 2,
        });
        let lake = Lake::open(folder.path().join("lake").to_str().unwrap(), []).unwrap();
        let session = engine.unwrap().session(&lake, lake.snapshot([]).await.unwrap());
        for (name, batch) in [
            ("subscriptions", billing.subscriptions()),
            ("payments", billing.payments()),
            ("internal_users", billing.internal_users()),
        ] {
            let rows = Rows {
                schema: batch.schema(),
                batches: vec![batch],
            };
            session.register_rows(name, &rows).unwrap();
        }
        let params = Params::default()
            .with("currency", Value::Text("USD".to_owned()))
            .with("as_of", Value::Instant(Some(as_of)))
            .with("from", Value::Day(window.from()))
            .with("to", Value::Day(window.to()));
        // As their files are now, so that an edited one is tested without building the engine again.
        let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../queries");
        let books = Self {
            session,
            library: QueryLibrary::with_overrides(&queries).unwrap(),
            params,
            _folder: folder,
        };
        books.answer("state/subscription_spans").await;
        books.answer("revenue/daily_running_changes").await;
        books.answer("revenue/daily_plan_changes").await;
        books.answer("revenue/daily_mrr_changes").await;
        books
    }

    /// The answer of a query, also kept for the queries after it.
    pub(crate) async fn answer(&self, name: &str) -> Rows {
        let query = self.library.get(name).unwrap();
        let rows = self.session.query(query, &self.params).await;
        let rows = rows.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        self.session.register_rows(query.table(), &rows).unwrap();
        rows
    }
}

impl Billing {
    fn subscriptions(&self) -> RecordBatch {
        let rows = &self.subscriptions;
        let ids = rows.iter().map(|row| Some(row.id));
        batch([
            ("date", days(rows.iter().map(|row| row.started_at))),
            ("subscription_id", identifiers(ids)),
            ("user_key", numbers(rows.iter().map(|row| row.user))),
            ("plan", texts(rows.iter().map(|row| Some(row.plan.as_str())))),
            ("billing_interval", texts(rows.iter().map(|row| row.interval))),
            ("price", cents(rows.iter().map(|row| Some(row.price)))),
            ("currency", texts(rows.iter().map(|row| Some(currency(row.foreign))))),
            ("canceled_at", instants(rows.iter().map(|row| row.canceled_at))),
            ("ended_at", instants(rows.iter().map(|row| row.ended_at))),
        ])
    }

    fn payments(&self) -> RecordBatch {
        let rows = &self.payments;
        batch([
            ("date", days(rows.iter().map(|row| row.paid_at))),
            ("subscription_id", identifiers(rows.iter().map(|row| row.subscription))),
            ("user_key", numbers(rows.iter().map(|row| row.user))),
            ("kind", texts(rows.iter().map(|row| Some(row.kind)))),
            ("status", texts(rows.iter().map(|row| Some(row.status)))),
            ("amount", cents(rows.iter().map(|row| Some(row.amount)))),
            ("currency", texts(rows.iter().map(|row| Some(currency(row.foreign))))),
            ("paid_at", instants(rows.iter().map(|row| Some(row.paid_at)))),
            ("refunded_at", instants(rows.iter().map(|row| row.refunded_at))),
            ("refunded_amount", cents(rows.iter().map(|row| row.refunded_amount))),
        ])
    }

    fn internal_users(&self) -> RecordBatch {
        batch([("user_key", numbers(self.internal_users.iter().copied()))])
    }
}

fn currency(foreign: bool) -> &'static str {
    if foreign { "EUR" } else { "USD" }
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    let columns = columns.map(|(name, values)| (name, values, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn cents(values: impl Iterator<Item = Option<i128>>) -> ArrayRef {
    let amounts = values.collect::<Decimal128Array>();
    Arc::new(amounts.with_precision_and_scale(12, 2).unwrap())
}

fn days(values: impl Iterator<Item = Instant>) -> ArrayRef {
    let days = values.map(|at| Date32Type::from_naive_date(at.date_naive()));
    Arc::new(Date32Array::from_iter_values(days))
}

fn instants(values: impl Iterator<Item = Option<Instant>>) -> ArrayRef {
    let micros = values.map(|at| at.map(|at| at.timestamp_micros()));
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn identifiers(values: impl Iterator<Item = Option<u128>>) -> ArrayRef {
    let bytes = values.map(|id| id.map(u128::to_be_bytes));
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).unwrap())
}
