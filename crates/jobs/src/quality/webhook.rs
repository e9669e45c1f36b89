//! Telling somebody else's server of alerts (`ALERT_WEBHOOK_URL`).

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::Instant;
use kindred_warehouse::{Alert, Warehouse};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::error::describe;

/// A check that fails, recovers and fails again within this time is told of once, unless it is worse.
const SUPPRESSED_FOR: TimeDelta = TimeDelta::hours(6);

/// How long one request may take. All tries together end before a process that shall stop has to have stopped.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What is waited before each try.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];

/// Where alerts are told. The address may hold a token, and is not shown.
#[derive(Debug)]
pub struct Webhook {
    address: SecretString,
    client: reqwest::Client,
}

impl Webhook {
    /// Tells alerts to `address` by POST.
    ///
    /// # Errors
    /// When no TLS is to be had on this machine.
    pub fn new(address: SecretString) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { address, client })
    }

    /// Tells those alerts of which nothing was told lately. What cannot be delivered is logged; `GET /alerts` has it.
    pub(super) async fn tell(&self, warehouse: &Warehouse, alerts: &[Alert], now: Instant) {
        let mut fresh = Vec::new();
        for alert in alerts {
            match warehouse.severest_before(alert, now - SUPPRESSED_FOR).await {
                Ok(told) if told.is_some_and(|told| told >= alert.severity) => {}
                Ok(_) => fresh.push(message(alert)),
                Err(error) => {
                    tracing::warn!(error = describe(&error), "what was told before is not known");
                    fresh.push(message(alert));
                }
            }
        }
        if fresh.is_empty() {
            return;
        }
        let body = json!({ "source": "kindred-analytics", "alerts": fresh });
        for wait in WAITS {
            sleep(wait).await;
            match self.post(&body).await {
                Ok(()) => return,
                Err(problem) => tracing::warn!(problem, alerts = fresh.len(), "ALERT_WEBHOOK_URL did not take alerts"),
            }
        }
    }

    async fn post(&self, body: &Value) -> Result<(), String> {
        let request = self.client.post(self.address.expose_secret()).json(body);
        // An error of the client would quote the address.
        let answer = request.send().await.map_err(|error| describe(&error.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

fn message(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "alertType": alert.key.alert_type.as_str(),
        "tableName": alert.key.table,
        "columnName": alert.key.column,
        "checkName": alert.key.check,
        "dimension": alert.key.dimension,
        "severity": alert.severity.as_str(),
        "message": alert.message,
        "threshold": alert.threshold,
        "actualValue": alert.actual,
        "lastSeenAt": alert.last_seen_at,
        "runId": alert.run_id,
    })
}
