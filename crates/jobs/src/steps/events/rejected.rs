//! Setting aside what could not be read as an event: where it stands and why, under the day of the run that found it.

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use kindred_engine::{EngineError, Rows};
use kindred_extract::{Rejected, rejected_batch, rejected_schema};
use kindred_lake::{Dataset, Snapshot, StagedPartition};
use kindred_model::{Fact, Instant};

use crate::error::JobError;
use crate::steps::work::Work;

/// Stages the day's file with these beside those that it has. A file of events that is read again says the same again,
/// which is kept once.
pub(super) async fn stage(
    work: &Work<'_>,
    published: &Snapshot,
    as_of: Instant,
    rejected: &[Rejected],
) -> Result<Vec<StagedPartition>, JobError> {
    if rejected.is_empty() {
        return Ok(Vec::new());
    }
    let (day, schema) = (as_of.date_naive(), rejected_schema());
    let dataset = Dataset::rejected(Fact::Events.as_str());
    let platform = work.platform;
    let session = platform.engine.session(&platform.lake, published.clone());
    let there = published.file(&dataset, day).into_iter();
    session.register_files("there", there, &schema)?;
    let found = Rows {
        schema: schema.clone(),
        batches: vec![rejected_batch(rejected)],
    };
    session.register_rows("found", &found)?;
    let sql = r#"
        select file, "offset", length, hash, min(reason) as reason
        from (select file, "offset", length, hash, reason from there union all select * from found)
        group by file, "offset", length, hash
        order by file, "offset""#;
    let failed = |error| EngineError::Plan {
        query: "rejected events".to_owned(),
        source: Box::new(error),
    };
    let batches: Vec<RecordBatch> = session.sql(sql).await?.try_collect().await.map_err(failed)?;
    let mut stage = work.stage(&dataset, &schema, &["file", "offset"], sql);
    for batch in &batches {
        let batch = crate::steps::shape::recast(batch, &schema).map_err(|error| JobError::Shape {
            query: "rejected events".to_owned(),
            table: "rejected/events",
            problem: error.to_string(),
        })?;
        stage.write(day, batch).await?;
    }
    Ok(stage.finish().await?)
}
