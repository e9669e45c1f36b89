//! Our side: the engine with the product's settings, over the lake.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use arrow::datatypes::SchemaRef;
use chrono::{Days, NaiveDate};
use kindred_benches::figures;
use kindred_engine::{Engine, EngineOptions, Params, QueryLibrary, Rows, Session, Value};
use kindred_extract::fact_schema;
use kindred_lake::{Dataset, Lake, Snapshot};
use kindred_model::{DayWindow, Fact, day_start};

use crate::THREADS;
use crate::explain;
use crate::funnel;
use crate::lake::{CURRENCY, DAYS, FIRST_DAY, STATES};

/// Longer than any plan should take.
const DEADLINE: Duration = Duration::from_secs(600);

/// The lake, and a session that sees all of it.
pub(crate) struct Subject {
    lake: Lake,
    session: Session,
    queries: QueryLibrary,
}

impl Subject {
    /// Over the whole lake in this folder, with what every run of a job knows before it computes.
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let lake = lake_in(folder)?;
        let facts = Fact::ALL.iter().map(|fact| facts(*fact));
        let snapshot = lake.snapshot(facts.chain(STATES.map(Dataset::state))).await?;
        let schemas = crate::lake::state_schemas();
        let subject = Self::over(&lake, snapshot, &schemas)?;
        for query in ["state/internal_users", "state/first_purchases"] {
            subject.part(query, &subject.of_days(all_days())).await?;
        }
        subject.session.register_rows("funnel_steps", &funnel::steps()?)?;
        Ok(subject)
    }

    /// Over some files of a lake.
    pub(crate) fn over(
        lake: &Lake,
        snapshot: Snapshot,
        states: &BTreeMap<&'static str, SchemaRef>,
    ) -> anyhow::Result<Self> {
        let session = engine()?.session(lake, snapshot);
        for fact in Fact::ALL {
            session.register_dataset(fact.as_str(), &facts(*fact), &fact_schema(*fact))?;
        }
        for (name, schema) in states {
            session.register_dataset(name, &Dataset::state(name), schema)?;
        }
        // For whoever works on a query: as the product has it, some in place of its own.
        let queries = match std::env::var_os("QUERIES_DIR") {
            Some(folder) => QueryLibrary::with_overrides(Path::new(&folder))?,
            None => QueryLibrary::embedded()?,
        };
        Ok(Self {
            lake: lake.clone(),
            session,
            queries,
        })
    }

    pub(crate) const fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(crate) const fn session(&self) -> &Session {
        &self.session
    }

    /// The answer of a query, and how long it took.
    pub(crate) async fn answer(&self, query: &str, params: &Params) -> anyhow::Result<(Rows, Duration)> {
        let query = self.queries.get(query)?;
        let began = Instant::now();
        let rows = self.session.query(query, params).await?;
        Ok((rows, began.elapsed()))
    }

    /// What the plan of a query does.
    pub(crate) async fn explained(&self, query: &str, params: &Params) -> anyhow::Result<String> {
        explain::explained(&self.session, self.queries.get(query)?, params).await
    }

    /// Keeps the answer of a query under its name, for the queries after it.
    pub(crate) async fn part(&self, query: &str, params: &Params) -> anyhow::Result<()> {
        let (rows, _) = self.answer(query, params).await?;
        self.session.register_rows(self.queries.get(query)?.table(), &rows)?;
        Ok(())
    }

    /// What a run at the end of these days gives to its queries.
    pub(crate) fn of_days(&self, window: DayWindow) -> Params {
        let end = Value::Instant(Some(window.end()));
        Params::default()
            .with("from", Value::Day(window.from()))
            .with("to", Value::Day(window.to()))
            .with("start", Value::Instant(Some(window.start())))
            .with("until", end.clone())
            .with("as_of", end.clone())
            .with("rollup_as_of", end)
            .with("currency", Value::Text(CURRENCY.to_owned()))
            // The cohorts of the 13 weeks that end with the window, in all of these weeks.
            .with("first_cohort", Value::Day(FIRST_DAY))
            .with("last_week", Value::Day(FIRST_DAY + Days::new(84)))
    }
}

/// The 90 days of the lake.
pub(crate) fn all_days() -> DayWindow {
    last_days(DAYS)
}

/// Those of them that come last.
pub(crate) fn last_days(days: u64) -> DayWindow {
    let end = FIRST_DAY + Days::new(DAYS);
    DayWindow::new(end - Days::new(days), end).expect("some days")
}

/// The dataset of a fact, as jobs keep it.
pub(crate) fn facts(fact: Fact) -> Dataset {
    let dataset = Dataset::facts(fact.as_str());
    if fact == Fact::Events {
        dataset.by_hour()
    } else {
        dataset
    }
}

/// The lake in a folder.
pub(crate) fn lake_in(folder: &Path) -> anyhow::Result<Lake> {
    Ok(Lake::open(
        folder.to_str().context("a folder whose name is no text")?,
        [],
    )?)
}

/// A literal of DuckDB for a value.
pub(crate) fn literal(value: &Value) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        Value::Day(day) => format!("date '{day}'"),
        Value::Instant(Some(instant)) => format!("timestamp '{}'", instant.naive_utc()),
        Value::Instant(None) => "null".to_owned(),
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => {
            let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
        Value::Integer(number) => number.to_string(),
    }
}

/// Midnight, when a day begins.
pub(crate) fn midnight(day: NaiveDate) -> Value {
    Value::Instant(Some(day_start(day)))
}

fn engine() -> anyhow::Result<Engine> {
    let spill_folder = figures::folder()?.join("plans-spill");
    std::fs::create_dir_all(&spill_folder)?;
    Ok(Engine::new(EngineOptions {
        memory_limit: half_of_memory()?,
        spill_folder,
        deadline: DEADLINE,
        target_partitions: THREADS,
    })?)
}

/// What the product lets its plans have by default.
fn half_of_memory() -> anyhow::Result<usize> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes: usize = line
        .context("no MemTotal")?
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()?;
    Ok(kibibytes * 1024 / 2)
}
