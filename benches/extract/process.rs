//! The processes that are measured: each prints how many rows it read, and its peak memory in bytes.

use std::path::Path;
use std::time::Duration;

use chrono::NaiveDate;
use kindred_benches::peak_memory;
use kindred_extract::{PostgresSource, SourceConfig, UserKeys, embedded_queries, fact_schema};
use kindred_lake::{Dataset, FileStamp, Lake, split_by_day};
use kindred_model::{Fact, Source};
use uuid::Uuid;

use crate::sessions::halves;

/// Extracts all sessions in one stream, and drops them.
#[allow(clippy::print_stdout, reason = "that is its answer")]
pub(crate) async fn extract(url: &str) -> anyhow::Result<()> {
    let mut rows = source(url)?
        .open(&[Fact::UserSessions])
        .await?
        .read(Fact::UserSessions, None, None);
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
    }
    println!("{count} {}", peak_memory()?);
    Ok(())
}

/// Extracts all sessions in two streams into the partitions of a new lake, as a run does.
#[allow(clippy::print_stdout, reason = "that is its answer")]
pub(crate) async fn mirror(url: &str, lake: &Path) -> anyhow::Result<()> {
    let lake = Lake::open(&lake.to_string_lossy(), [])?;
    let [first, second] = halves().map(|days| tokio::spawn(mirror_days(url.to_owned(), lake.clone(), days)));
    let count = first.await?? + second.await??;
    println!("{count} {}", peak_memory()?);
    Ok(())
}

async fn mirror_days(url: String, lake: Lake, (from, to): (NaiveDate, NaiveDate)) -> anyhow::Result<usize> {
    let fact = Fact::UserSessions;
    let dataset = Dataset::facts(fact.as_str());
    let sort = ["user_key", "started_at"];
    let mut stage = lake.stage(
        dataset.clone(),
        fact_schema(fact),
        &sort,
        Uuid::new_v4(),
        FileStamp::default(),
    );
    let mut rows = source(&url)?.open(&[fact]).await?.read(fact, Some(from), Some(to));
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        count += batch.num_rows();
        for (day, rows) in split_by_day(&dataset, &batch, fact.partition_column())? {
            stage.write(day, rows).await?;
        }
    }
    lake.swap(&stage.finish().await?).await?;
    Ok(count)
}

fn source(url: &str) -> anyhow::Result<PostgresSource> {
    Ok(PostgresSource::new(SourceConfig {
        source: Source::Users,
        url: url.to_owned().into(),
        keys: UserKeys::new("a secret of a benchmark")?,
        queries: embedded_queries(Source::Users),
        deadline: Duration::from_secs(600),
        batch_rows: 16_384,
        queue_batches: 4,
    })?)
}
