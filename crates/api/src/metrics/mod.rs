//! What monitoring asks: counts of this process's requests and answers, and how warehouse and jobs stand.
//!
//! Requests are counted as they are answered; everything else is read when it is asked for, by `GET /metrics`.

pub(crate) mod get;
mod standing;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Bounds of the durations, in seconds: from an answer that is kept to a trigger that waits.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 15.0, 60.0,
];

/// What is counted as it happens, for both servers of the process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    limited: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        const LABELS: [&str; 4] = ["server", "method", "route", "status"];
        let requests = Opts::new("kindred_http_requests_total", "Requests that were answered.");
        let durations = HistogramOpts::new(
            "kindred_http_request_duration_seconds",
            "From a request to its answer, the body on its way.",
        );
        let limited = Opts::new(
            "kindred_http_rate_limited_total",
            "Requests that were refused because their token was used too often.",
        );
        let durations = durations.buckets(BUCKETS.to_vec());
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &LABELS).expect(WELL_NAMED),
            durations: HistogramVec::new(durations, &LABELS).expect(WELL_NAMED),
            limited: IntCounterVec::new(limited, &["token"]).expect(WELL_NAMED),
        };
        register(&metrics.registry, ProcessCollector::for_self());
        register(&metrics.registry, metrics.requests.clone());
        register(&metrics.registry, metrics.durations.clone());
        register(&metrics.registry, metrics.limited.clone());
        metrics
    }

    /// Counts a request that was answered. The route is one of the server's, never what the caller wrote.
    pub(crate) fn answered(
        &self,
        server: &'static str,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let labels = [server, known(method), route, status.as_str()];
        self.requests.with_label_values(&labels).inc();
        self.durations.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// Counts a request that was refused because its token was used too often.
    pub(crate) fn limited(&self, token: &str) {
        self.limited.with_label_values(&[token]).inc();
    }
}

/// The invariant of every metric here: names and labels are literals, each registered once.
const WELL_NAMED: &str = "metrics are well named, and registered once";

/// A counter that counts from now on.
pub(crate) fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect(WELL_NAMED)
}

/// A gauge at 0.
pub(crate) fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect(WELL_NAMED)
}

/// Makes the metric one of the registry's.
pub(crate) fn register(registry: &Registry, metric: impl Collector + 'static) {
    registry.register(Box::new(metric)).expect(WELL_NAMED);
}

/// A caller may make up methods; series are for those that there are.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}
