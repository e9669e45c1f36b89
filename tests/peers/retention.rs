//! The retention cases, through the query of `retention_cohorts`: those of calendar weeks that begin on Monday. A first
//! target event is a registration, a return event a day on which the user was active.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, new_empty_array};
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, Schema, SchemaRef};
use chrono::{DateTime, Days, NaiveDate, Utc};
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Rows, Session, Value as Param};
use kindred_extract::fact_schema;
use kindred_lake::Lake;
use kindred_model::Fact;
use serde::Deserialize;
use serde_json::Value;

/// What the table does not know, and the cases that ask for it.
const UNSUPPORTED: [(&str, &[&str]); 1] = [(
    "cohorts of days",
    &[
        "posthog-retention-070",
        "clickhouse-retention-025",
        "clickhouse-retention-026",
    ],
)];

#[derive(Deserialize)]
struct Case {
    id: String,
    settings: Settings,
    events: Vec<Event>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Settings {
    period: String,
    intervals: u64,
    cohort_rule: String,
    target_any_of: Vec<String>,
    return_any_of: Vec<String>,
    cohort_start: Option<NaiveDate>,
    week_starts: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    user: String,
    event: String,
    at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Expected {
    /// By cohort, its size and those who returned in each later interval.
    #[serde(default)]
    counts: Vec<Vec<i64>>,
}

/// Of cohort and period, how many were there.
type Cells = BTreeMap<(NaiveDate, i64), i64>;

#[tokio::test(flavor = "multi_thread")]
async fn cohorts_are_what_peers_assert() {
    let file: Value = serde_json::from_str(include_str!("../fixtures/peer_cases.json")).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let cases = cases.filter(|case| case["kind"] == "retention");
    let cases: Vec<Case> = cases
        .map(|case| serde_json::from_value(case.clone()).unwrap())
        .collect();
    let (supported, other): (Vec<_>, Vec<_>) = cases.iter().partition(|case| case.settings.are_supported());

    let other: BTreeSet<_> = other.iter().map(|case| case.id.as_str()).collect();
    let named = UNSUPPORTED.iter().flat_map(|(_, ids)| ids.iter().copied());
    assert_eq!(other, named.collect(), "the list of what is not supported is not true");

    for case in &supported {
        assert_eq!(case.answer().await, case.asserted(), "{}", case.id);
    }
    assert_eq!(supported.len(), 1);
}

impl Settings {
    fn are_supported(&self) -> bool {
        self.cohort_rule == "first_time" && self.period == "week" && self.week_starts.as_deref() == Some("monday")
    }

    fn first_cohort(&self) -> NaiveDate {
        self.cohort_start.expect("a case of weeks says when they begin")
    }

    fn last_week(&self) -> NaiveDate {
        self.first_cohort() + Days::new(7 * (self.intervals - 1))
    }
}

impl Case {
    /// The cells that the peer asserts; a week without registrations has none.
    fn asserted(&self) -> Cells {
        let cohorts = (self.expected.counts.iter().enumerate()).filter(|(_, counts)| counts[0] > 0);
        let cells = cohorts.flat_map(|(week, counts)| {
            let cohort = self.settings.first_cohort() + Days::new(7 * week as u64);
            (0..).zip(counts).map(move |(period, count)| ((cohort, period), *count))
        });
        cells.collect()
    }

    /// The cells that the query answers when every week is over.
    async fn answer(&self) -> Cells {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap(), []).unwrap();
        let engine = Engine::new(EngineOptions {
            memory_limit: 64 << 20,
            spill_folder: folder.path().join("spill"),
            deadline: Duration::from_secs(60),
            target_partitions: 2,
        });
        let session = engine.unwrap().session(&lake, lake.snapshot([]).await.unwrap());
        self.register(&session);
        let end = self.settings.last_week() + Days::new(7);
        let params = Params::default()
            .with("first_cohort", Param::Day(self.settings.first_cohort()))
            .with("last_week", Param::Day(self.settings.last_week()))
            .with(
                "as_of",
                Param::Instant(Some(end.and_time(Default::default()).and_utc())),
            )
            .with("currency", Param::Text("USD".to_owned()));
        let library = QueryLibrary::embedded().unwrap();
        let query = library.get("retention/retention_cohorts").unwrap();
        let answer = session.query(query, &params).await.unwrap();
        answer.batches.iter().flat_map(read).collect()
    }

    /// Registrations and days of activity, and nothing of all else that the query reads.
    fn register(&self, session: &Session) {
        let mut people = BTreeMap::new();
        for event in self.of_kind(&self.settings.target_any_of) {
            let day: &mut NaiveDate = people.entry(event.user.as_str()).or_insert(event.at.date_naive());
            *day = event.at.date_naive().min(*day);
        }
        let keys: BTreeMap<&str, i64> = people.keys().copied().zip(1..).collect();
        let active: BTreeSet<_> = self
            .of_kind(&self.settings.return_any_of)
            .filter_map(|event| Some((event.at.date_naive(), *keys.get(event.user.as_str())?)))
            .collect();

        let users = people.iter().map(|(user, day)| (*day, keys[user]));
        let mut users = days_of_users(&users.collect::<Vec<_>>());
        users.push(("is_internal", Arc::new(BooleanArray::from(vec![false; people.len()]))));
        let active = days_of_users(&active.into_iter().collect::<Vec<_>>());
        for (name, columns) in [("users", users), ("active_days", active)] {
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let (schema, batches) = (batch.schema(), vec![batch]);
            session.register_rows(name, &Rows { schema, batches }).unwrap();
        }
        for fact in [Fact::UserSessions, Fact::Matches, Fact::Payments] {
            session.register_rows(fact.as_str(), &nothing(&by_day(fact))).unwrap();
        }
        // Both have some of a payment's columns.
        for name in ["first_purchases", "internal_users"] {
            session.register_rows(name, &nothing(&by_day(Fact::Payments))).unwrap();
        }
    }

    fn of_kind<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(|event| names.contains(&event.event))
    }
}

fn days_of_users(rows: &[(NaiveDate, i64)]) -> Vec<(&'static str, ArrayRef)> {
    let days = rows.iter().map(|(day, _)| Date32Type::from_naive_date(*day));
    let keys = rows.iter().map(|(_, key)| *key);
    vec![
        ("date", Arc::new(Date32Array::from_iter_values(days))),
        ("user_key", Arc::new(Int64Array::from_iter_values(keys))),
    ]
}

/// The columns of a fact as queries see them.
fn by_day(fact: Fact) -> SchemaRef {
    let mut fields = fact_schema(fact).fields().to_vec();
    fields.push(Arc::new(Field::new("date", DataType::Date32, false)));
    Arc::new(Schema::new(fields))
}

fn nothing(schema: &SchemaRef) -> Rows {
    let columns = schema.fields().iter().map(|field| new_empty_array(field.data_type()));
    Rows {
        schema: Arc::clone(schema),
        batches: vec![RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()],
    }
}

fn read(rows: &RecordBatch) -> Vec<((NaiveDate, i64), i64)> {
    let cohorts = rows["cohort_week"].as_primitive::<Date32Type>();
    let number = |name: &str, row| rows[name].as_primitive::<Int64Type>().value(row);
    let cell = |row| {
        let cohort = cohorts.value_as_date(row).unwrap();
        ((cohort, number("period_number", row)), number("users_returned", row))
    };
    (0..rows.num_rows()).map(cell).collect()
}
