//! The lake that both read: rows from a generator, written by the product's writer; state by the product's queries.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, ensure};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::ipc::reader::StreamReader;
use chrono::NaiveDate;
use kindred_benches::figures;
use kindred_extract::fact_schema;
use kindred_lake::{Dataset, FileStamp, Lake, StagedPartition};
use kindred_model::Fact;
use uuid::Uuid;

use crate::peer::{interpreter, peers};
use crate::subject::{Subject, all_days, facts, lake_in};

/// The first of the days, a Monday.
pub(crate) const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");

/// Days with sessions, messages and events.
pub(crate) const DAYS: u64 = 90;

pub(crate) const CURRENCY: &str = "USD";

/// What is computed once, as jobs do: in this order, so many days by one plan.
pub(crate) const STATES: [&str; 4] = ["active_days", "event_counts", "aliases", "first_moments"];

/// The facts that the lake has, each with its sort order.
const FACTS: [(Fact, &[&str]); 9] = [
    (Fact::Users, &["user_key", "created_at"]),
    (Fact::UserSessions, &["user_key", "started_at"]),
    (Fact::Messages, &["sender", "created_at"]),
    (Fact::Events, &["user_key", "event_time"]),
    (Fact::Matches, &["user_a", "created_at"]),
    (Fact::Interactions, &["initiator", "started_at"]),
    (Fact::MatchingQueue, &["user_key", "joined_at"]),
    (Fact::SessionTelemetry, &["user_key", "started_at"]),
    (Fact::Payments, &["user_key", "paid_at"]),
];

/// Beside a lake that is complete: what made it.
const RECIPE: &str = "made-by";

/// The folder of the lake of this scale, made unless there is one already that the same generator has made.
pub(crate) async fn kept(scale: &str) -> anyhow::Result<PathBuf> {
    let folder = figures::folder()?.join(format!("plans-lake-{scale}"));
    let recipe = folder.join(RECIPE);
    let generator = fs::read_to_string(generator())?;
    if fs::read_to_string(&recipe).is_ok_and(|made_by| made_by == generator) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let lake = lake_in(&folder)?;
    for (fact, sort) in FACTS {
        println!("making {fact}");
        fill(&lake, fact, sort, scale).await?;
    }
    for state in STATES {
        println!("making {state}");
        build(&lake, state).await?;
    }
    fs::write(recipe, generator)?;
    Ok(folder)
}

fn generator() -> PathBuf {
    peers().join("plans_lake.py")
}

async fn fill(lake: &Lake, fact: Fact, sort: &[&'static str], scale: &str) -> anyhow::Result<()> {
    let mut generator = Command::new(interpreter()?)
        .arg(generator())
        .args([scale, fact.as_str(), &FIRST_DAY.to_string(), &DAYS.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let rows = generator.stdout.take().context("the generator's rows")?;
    let schema = fact_schema(fact);
    let mut stage = lake.stage(facts(fact), schema.clone(), sort, Uuid::new_v4(), FileStamp::default());
    for batch in StreamReader::try_new(BufReader::with_capacity(1 << 20, rows), None)? {
        stage
            .write_by(&recast(&batch?, &schema)?, fact.partition_column())
            .await?;
    }
    ensure!(generator.wait()?.success(), "the generator of {fact} has failed");
    publish(lake, stage.finish().await?).await
}

/// Builds a state by the product's query, some days at a time, each seeing what the days before have.
async fn build(lake: &Lake, state: &'static str) -> anyhow::Result<()> {
    let dataset = Dataset::state(state);
    let (schema, sort, days) = recipe(state);
    let schemas = state_schemas();
    let query = format!("state/{state}");
    for window in all_days().chunks(days) {
        let facts = FACTS.iter().map(|(fact, _)| facts(*fact));
        let snapshot = lake.snapshot(facts.chain([dataset.clone()])).await?;
        let earlier: Vec<_> = snapshot.files(&dataset).cloned().collect();
        let subject = Subject::over(lake, snapshot, &schemas)?;
        subject.session().register_files("earlier", earlier.iter(), &schema)?;
        let params = subject.of_days(window);
        subject.part("state/internal_users", &params).await?;
        let (rows, _) = subject.answer(&query, &params).await?;
        let mut stage = lake.stage(
            dataset.clone(),
            schema.clone(),
            sort,
            Uuid::new_v4(),
            FileStamp::default(),
        );
        for batch in &rows.batches {
            for (partition, part) in kindred_lake::split_by_partition(&dataset, batch, "date")? {
                stage.write(partition, recast(&part, &schema)?).await?;
            }
        }
        publish(lake, stage.finish().await?).await?;
    }
    Ok(())
}

async fn publish(lake: &Lake, staged: Vec<StagedPartition>) -> anyhow::Result<()> {
    ensure!(!staged.is_empty(), "there are no rows");
    Ok(lake.swap(&staged).await?)
}

/// The columns of `schema`, found by name and brought to its types.
pub(crate) fn recast(batch: &RecordBatch, schema: &SchemaRef) -> anyhow::Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name());
        let column = column.with_context(|| format!("no column {}", field.name()))?;
        Ok(cast(column, field.data_type())?)
    });
    let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The columns of the files of every state.
pub(crate) fn state_schemas() -> BTreeMap<&'static str, SchemaRef> {
    STATES.map(|state| (state, recipe(state).0)).into()
}

/// A state's columns, its sort order, and how many days of it jobs build by one plan.
fn recipe(state: &str) -> (SchemaRef, &'static [&'static str], u64) {
    let of = |name: &str, data_type: &DataType, nullable| Field::new(name, data_type.clone(), nullable);
    let (key, text) = (DataType::Int64, DataType::Utf8);
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let (columns, sort, days): (Vec<Field>, &[&str], u64) = match state {
        "active_days" => (
            vec![
                of("user_key", &key, false),
                of("platform", &text, true),
                of("app_version", &text, true),
            ],
            &["user_key", "platform", "app_version"],
            7,
        ),
        "event_counts" => (
            vec![
                of("user_key", &key, true),
                of("anonymous_key", &key, true),
                of("event_name", &text, false),
                of("platform", &text, false),
                of("hour", &DataType::Int32, false),
                of("events", &key, false),
            ],
            &["user_key", "anonymous_key", "event_name"],
            7,
        ),
        "aliases" => (
            vec![
                of("anonymous_key", &key, false),
                of("user_key", &key, false),
                of("event_time", &instant, false),
                of("event_id", &text, false),
            ],
            &["anonymous_key"],
            31,
        ),
        _ => (
            vec![
                of("kind", &text, false),
                of("user_key", &key, true),
                of("anonymous_key", &key, true),
                of("at", &instant, false),
            ],
            &["kind", "user_key", "anonymous_key"],
            31,
        ),
    };
    (Arc::new(Schema::new(columns)), sort, days)
}
