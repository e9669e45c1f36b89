//! Setting aside what could not be read as an event: where it stands and why, under the day of the run that found it.

use futures::StreamExt;
use kindred_extract::rejected_schema;
use kindred_lake::{Dataset, Snapshot, StagedPartition};
use kindred_model::{Fact, Instant};

use crate::error::JobError;
use crate::steps::shape::recast;
use crate::steps::work::Work;

/// Stages the day's file with what was spooled beside what it has. A file of events that is read again says the same
/// again, which is kept once.
pub(super) async fn stage(
    work: &Work<'_>,
    published: &Snapshot,
    as_of: Instant,
    spooled: &[StagedPartition],
) -> Result<Vec<StagedPartition>, JobError> {
    if spooled.is_empty() {
        return Ok(Vec::new());
    }
    let (day, schema) = (as_of.date_naive(), rejected_schema());
    let dataset = Dataset::rejected(Fact::Events.as_str());
    let platform = work.platform;
    let session = platform.engine.session(&platform.lake, published.clone());
    session.register_files("there", published.file(&dataset, day).into_iter(), &schema)?;
    session.register_files("found", Snapshot::of(spooled).all(), &schema)?;
    let sql = r#"
        select file, "offset", length, hash, min(reason) as reason
        from (
            select file, "offset", length, hash, reason from there
            union all
            select file, "offset", length, hash, reason from found
        )
        group by file, "offset", length, hash
        order by file, "offset""#;
    let mut rows = session.sql(sql).await?;
    let mut stage = work.stage(&dataset, &schema, &["file", "offset"], sql);
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| session.failure("rejected events", error))?;
        let batch = recast(&batch, &schema).map_err(|error| JobError::Shape {
            query: "rejected events".to_owned(),
            table: "rejected/events",
            problem: error.to_string(),
        })?;
        stage.write(day, batch).await?;
    }
    Ok(stage.finish().await?)
}
