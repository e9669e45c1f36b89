//! The steps of a run, written to the ledger as they come, so that an operator sees where a run is.

use std::sync::Mutex;

use kindred_model::Clock;
use kindred_warehouse::{StepRecord, Warehouse, WarehouseError};
use serde_json::Value;
use uuid::Uuid;

/// Notes the steps of one run.
pub(crate) struct Ledger {
    warehouse: Warehouse,
    clock: Clock,
    run_id: Uuid,
    owner: Uuid,
    steps: Mutex<Vec<StepRecord>>,
}

/// What a step did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) detail: Value,
}

impl Ledger {
    pub(crate) fn new(warehouse: Warehouse, clock: Clock, run_id: Uuid, owner: Uuid) -> Self {
        Self {
            warehouse,
            clock,
            run_id,
            owner,
            steps: Mutex::default(),
        }
    }

    /// Notes that a step begins.
    pub(crate) async fn begin(&self, name: &str) -> Result<(), WarehouseError> {
        self.begin_with(name, Value::Null).await
    }

    /// Notes that a step begins, and what there is to say of it already.
    pub(crate) async fn begin_with(&self, name: &str, detail: Value) -> Result<(), WarehouseError> {
        let step = StepRecord {
            name: name.to_owned(),
            started_at: self.clock.now(),
            ended_at: None,
            rows_read: 0,
            rows_written: 0,
            detail,
        };
        self.write(|steps| steps.push(step)).await
    }

    /// Notes what the step that began last has done.
    pub(crate) async fn end(&self, done: Done) -> Result<(), WarehouseError> {
        let now = self.clock.now();
        self.write(|steps| {
            if let Some(step) = steps.last_mut() {
                step.ended_at = Some(now);
                step.rows_read = count(done.rows_read);
                step.rows_written = count(done.rows_written);
                step.detail = done.detail;
            }
        })
        .await
    }

    async fn write(&self, change: impl FnOnce(&mut Vec<StepRecord>)) -> Result<(), WarehouseError> {
        let steps = {
            let mut steps = self.steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            change(&mut steps);
            steps.clone()
        };
        self.warehouse.record_steps(self.run_id, self.owner, &steps).await?;
        Ok(())
    }

    /// Everything noted so far.
    pub(crate) fn steps(&self) -> Vec<StepRecord> {
        self.steps
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

/// A number of rows as the ledger keeps it.
pub(crate) fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
