//! How far the warehouse and the lake have come: each source's watermark, and the file of each lake partition.

use chrono::NaiveDate;
use kindred_model::{Instant, Source};
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// How far a dataset of a source was read.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Watermark {
    /// The source's name.
    pub source: String,
    /// The dataset's name: a fact.
    pub dataset: String,
    /// The instant at which it was last read to the end.
    pub extracted_to: Instant,
    /// The latest instant of its rows.
    pub last_row_at: Option<Instant>,
    /// Rows read.
    pub rows: i64,
    /// A hash of the source's columns and types, to notice when they change.
    pub schema_fingerprint: String,
}

/// The file that stands for a partition of the lake.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LakePartition {
    /// For example `facts/users`.
    pub dataset: String,
    /// `date=YYYY-MM-DD`.
    pub partition: String,
    /// The file, relative to the lake.
    pub path: String,
    /// Its rows.
    pub rows: i64,
    /// Its size.
    pub bytes: i64,
    /// Its ETag, where the store gives one.
    pub etag: Option<String>,
    /// A hash of its rows: equal when a re-read changed nothing.
    pub content_hash: String,
    /// Rows of the source that it lacks, since their person is erased.
    pub left_out: i64,
    /// The run that published it.
    pub run_id: Uuid,
}

impl Warehouse {
    /// How far every dataset was read.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn watermarks(&self) -> Result<Vec<Watermark>, WarehouseError> {
        sqlx::query_as(
            "select source, dataset, extracted_to, last_row_at, rows, schema_fingerprint
             from source_watermarks order by source, dataset",
        )
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read the sources' watermarks"))
    }

    /// The watermark: the earliest instant up to which a dataset of a required source was read. None before the first.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn watermark(&self) -> Result<Option<Instant>, WarehouseError> {
        let optional: Vec<_> = Source::ALL
            .iter()
            .filter(|source| source.is_optional())
            .map(|source| source.as_str())
            .collect();
        sqlx::query_scalar("select min(extracted_to) from source_watermarks where source <> all($1)")
            .bind(optional)
            .fetch_one(self.pool())
            .await
            .map_err(WarehouseError::query("read the watermark"))
    }

    /// The files of a dataset's partitions, oldest first; of every dataset when none is named.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn partitions(&self, dataset: Option<&str>) -> Result<Vec<LakePartition>, WarehouseError> {
        sqlx::query_as(
            "select dataset, partition, path, rows, bytes, etag, content_hash, left_out, run_id
             from lake_partitions where $1::text is null or dataset = $1 order by dataset, partition",
        )
        .bind(dataset)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("list the lake's partitions"))
    }

    /// How many rows these datasets have on each day from `since` on: the dataset, the day, the rows. What they have on
    /// earlier days comes as one sum, of the day before, and tells that the dataset had begun.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn rows_by_day(
        &self,
        datasets: &[String],
        since: NaiveDate,
    ) -> Result<Vec<(String, NaiveDate, i64)>, WarehouseError> {
        sqlx::query_as(
            "select dataset, greatest(substr(partition, 6, 10)::date, $2 - 1) as day, sum(rows)::bigint
             from lake_partitions where dataset = any($1) group by dataset, day order by dataset, day",
        )
        .bind(datasets)
        .bind(since)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("count the rows of the lake's partitions"))
    }
}
