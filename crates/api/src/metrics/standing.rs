//! How sources, jobs and checks stand, as gauges.

use kindred_model::{Instant, RunStatus};
use kindred_warehouse::read::standing::Standing;
use prometheus::{Gauge, GaugeVec, Opts, Registry};

use super::{WELL_NAMED, register};

/// Severities of alerts, as the warehouse has them.
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Registers what the warehouse has told.
pub(super) fn tell(standing: &Standing, registry: &Registry) {
    let watermarks = gauges(
        registry,
        "kindred_source_watermark_timestamp_seconds",
        "The instant at which all datasets of a source were last read to the end.",
        &["source"],
    );
    for (source, at) in &standing.watermarks {
        watermarks(&[source.as_str()]).set(seconds(*at));
    }
    let succeeded = gauges(
        registry,
        "kindred_job_last_success_timestamp_seconds",
        "The end of a job's last run that has published.",
        &["job"],
    );
    let status = gauges(
        registry,
        "kindred_job_last_run_status",
        "1 for the state of a job's last run, skipped ones left out; 0 for the others.",
        &["job", "status"],
    );
    let running = gauges(
        registry,
        "kindred_job_running",
        "Whether a run of the job is under way.",
        &["job"],
    );
    for job in &standing.jobs {
        let name = job.job.as_str();
        running(&[name]).set(f64::from(u8::from(job.is_running)));
        if let Some(at) = job.last_success {
            succeeded(&[name]).set(seconds(at));
        }
        for state in RunStatus::ALL.iter().filter(|state| **state != RunStatus::Skipped) {
            let is_its = job.last_status == Some(*state);
            status(&[name, state.as_str()]).set(f64::from(u8::from(is_its)));
        }
    }
    let alerts = gauges(
        registry,
        "kindred_data_quality_alerts_open",
        "Data-quality alerts that are not resolved.",
        &["severity"],
    );
    for severity in SEVERITIES {
        let open = standing.open_alerts.iter().find(|(found, _)| found == severity);
        alerts(&[severity]).set(open.map_or(0.0, |(_, count)| *count as f64));
    }
}

/// A metric that has one gauge for each of its labels' values.
fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> impl Fn(&[&str]) -> Gauge {
    let gauges = GaugeVec::new(Opts::new(name, help), labels).expect(WELL_NAMED);
    register(registry, gauges.clone());
    move |values| gauges.with_label_values(values)
}

/// Seconds since 1970, as Prometheus tells time.
fn seconds(at: Instant) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}
