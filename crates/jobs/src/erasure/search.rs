//! Which files of the lake hold a person's keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use kindred_engine::{Params, Rows, Session, Value};
use kindred_lake::{Partition, PartitionFile, Snapshot};

use super::holders::{Holder, holders};
use crate::Platform;
use crate::error::JobError;
use crate::steps::answers;

/// The table of the keys that are looked for.
const KEYS: &str = "erased_keys";

/// The keys that are looked for, and a view of the lake as it is.
pub(super) struct Search {
    pub(super) session: Session,
    pub(super) snapshot: Snapshot,
    pub(super) holders: Vec<Holder>,
}

impl Search {
    /// Looks at the lake as it is now.
    pub(super) async fn begin(platform: &Platform) -> Result<Self, JobError> {
        let holders = holders();
        let datasets: Vec<_> = holders.iter().map(|holder| holder.dataset.clone()).collect();
        let snapshot = platform.lake.snapshot(datasets).await?;
        let session = platform.engine.session(&platform.lake, snapshot.clone());
        for Holder {
            table, dataset, schema, ..
        } in &holders
        {
            session.register_dataset(table, dataset, schema)?;
        }
        Ok(Self {
            session,
            snapshot,
            holders,
        })
    }

    /// The devices that were first seen with this user.
    pub(super) async fn devices(&self, platform: &Platform, user_key: i64) -> Result<Vec<i64>, JobError> {
        let query = platform.queries.get("privacy/devices")?;
        let params = Params::default().with("user_key", Value::Integer(user_key));
        let rows = self.session.query(query, &params).await?;
        let keys = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        Ok(rows.batches.iter().flat_map(keys).collect())
    }

    /// The files of a dataset that hold one of the keys; of events, those too in which its digits stand in a property.
    pub(super) async fn files(&self, holder: &Holder, keys: &[i64]) -> Result<Vec<&PartitionFile>, JobError> {
        let schema = Arc::new(Schema::new(vec![Field::new("user_key", DataType::Int64, false)]));
        let column = Arc::new(Int64Array::from(keys.to_vec()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column of keys");
        self.session.register_rows(
            KEYS,
            &Rows {
                schema,
                batches: vec![batch],
            },
        )?;
        let mut partitions = BTreeSet::new();
        let place = if holder.dataset.is_hourly() {
            "date, hour"
        } else {
            "date"
        };
        let table = holder.table;
        // Names of one static list; the keys are a table.
        let columns = holder
            .keys
            .iter()
            .map(|column| format!("left semi join {KEYS} on {KEYS}.user_key = {table}.{column}"));
        let mentions = format!("join {KEYS} on contains({table}.properties, cast({KEYS}.user_key as varchar))");
        let mentions = holder.has_properties().then_some(mentions);
        let held: Vec<_> = columns.chain(mentions).collect();
        for held in held {
            let sql = format!("select distinct {place} from {table} {held}");
            let found = answers::rows(&self.session, &format!("persons in {}", holder.dataset), &sql).await?;
            if holder.dataset.is_hourly() {
                partitions.extend(answers::hours(&found));
            } else {
                partitions.extend(answers::days(&found).into_iter().map(Partition::from));
            }
        }
        let files = partitions.into_iter();
        Ok(files
            .filter_map(|partition| self.snapshot.file(&holder.dataset, partition))
            .collect())
    }

    /// How many files there are to look at.
    pub(super) fn len(&self) -> usize {
        self.snapshot.all().count()
    }
}
