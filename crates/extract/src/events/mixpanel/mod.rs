//! Mixpanel's raw export: a request a day, answered by that day's events as NDJSON.
//!
//! A day is what is read at once and, when something breaks, read again; `pace` keeps below Mixpanel's limits, `client`
//! tells what is worth another try, `event` maps an event's properties to our columns. Times in an export are those of
//! the project's time zone: they are taken for UTC, so the project must be set to it.

mod client;
mod days;
mod event;
mod pace;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{Days, NaiveDate};
use kindred_model::Instant;
use secrecy::SecretString;
use url::Url;

use self::client::Client;
pub(super) use self::days::ExportEvents;
#[cfg(test)]
pub(super) use self::event::read;
use self::pace::Pace;
use super::ArrivalRequest;
use crate::ExtractError;

/// Where projects are that chose no other region.
const BASE_URL: &str = "https://data.mixpanel.com";

/// Days before today that are read again each time: devices report late.
const LATE_DAYS: Days = Days::new(2);

/// Days that the first extraction reads, today included, unless it is told since when.
const FIRST_DAYS: u64 = 35;

/// Who signs in to Mixpanel, and where.
#[derive(Clone, Default)]
pub struct MixpanelSettings {
    /// `MIXPANEL_USERNAME`: of a service account.
    pub username: Option<String>,
    /// `MIXPANEL_SECRET`: of the same.
    pub secret: Option<SecretString>,
    /// `MIXPANEL_BASE_URL`: for projects in Europe `https://data-eu.mixpanel.com`, in India
    /// `https://data-in.mixpanel.com`; none for the others.
    pub base_url: Option<String>,
    /// How long to wait for what.
    pub patience: Patience,
}

/// Without who signs in: a region's address, too, may hold a password by mistake.
impl fmt::Debug for MixpanelSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MixpanelSettings")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// How long Mixpanel is waited for, and how often it is asked.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next piece of an answer, the first one included.
    pub silence: Duration,
    /// How often a day is asked for again.
    pub retries: u32,
    /// Before the first retry; twice as long before each further one. A random half of it is left out.
    pub backoff: Duration,
    /// The longest that a run waits for its next request. When Mixpanel's limit asks for more, what was read is kept and
    /// the rest left to the next run.
    pub longest_wait: Duration,
    /// Between two requests.
    pub between_requests: Duration,
    /// Requests in an hour.
    pub requests_per_hour: usize,
}

impl Default for Patience {
    /// Some way below Mixpanel's limits, 3 requests a second and 60 an hour, which all clients of a project share.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(120),
            retries: 5,
            backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
            between_requests: Duration::from_millis(400),
            requests_per_hour: 55,
        }
    }
}

/// A project's raw export.
pub(super) struct Mixpanel {
    client: Arc<Client>,
}

impl Mixpanel {
    /// # Errors
    /// Of kind `Settings`: who signs in is missing, or the address of another region cannot be used.
    pub(super) fn new(project: String, settings: MixpanelSettings) -> Result<Self, ExtractError> {
        let refuse = |problem: &str| ExtractError::MixpanelSetting {
            problem: problem.to_owned(),
        };
        let (Some(username), Some(secret)) = (settings.username, settings.secret) else {
            return Err(refuse(
                "MIXPANEL_USERNAME and MIXPANEL_SECRET must both be set: those of a service account of the project",
            ));
        };
        let base = settings.base_url.as_deref().unwrap_or(BASE_URL).trim_end_matches('/');
        let export = Url::parse(&format!("{base}/api/2.0/export"))
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.query().is_none()
            })
            .ok_or_else(|| refuse("MIXPANEL_BASE_URL must be like https://data-eu.mixpanel.com"))?;
        let patience = settings.patience;
        let http = reqwest::Client::builder()
            .user_agent("kindred-analytics")
            .connect_timeout(patience.connect)
            .read_timeout(patience.silence)
            .build()
            .map_err(|error| refuse(&format!("HTTP cannot be set up: {error}")))?;
        Ok(Self {
            client: Arc::new(Client {
                http,
                export,
                project,
                username,
                secret,
                pace: Mutex::new(Pace::new(patience.between_requests, patience.requests_per_hour)),
                patience,
            }),
        })
    }

    /// Asks for one event of today.
    pub(super) async fn check(&self, now: Instant) -> Result<(), ExtractError> {
        self.client.check(now.date_naive()).await
    }
}

impl fmt::Debug for Mixpanel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixpanel")
            .field("project", &self.client.project)
            .finish_non_exhaustive()
    }
}

/// The days to ask for, oldest first: a backfill's; or those since the watermark, but always today and the two before.
fn wanted_days(request: &ArrivalRequest) -> impl Iterator<Item = NaiveDate> + use<> {
    let today = request.now.date_naive();
    let late = today - LATE_DAYS;
    let (first, last) = match (request.days, request.since) {
        (Some(days), _) => (days.from(), (days.to() - Days::new(1)).min(today)),
        (None, Some(watermark)) => (late.min(watermark.date_naive() - LATE_DAYS), today),
        (None, None) => {
            let first = request.history_since.unwrap_or(today - Days::new(FIRST_DAYS - 1));
            (first.min(late), today)
        }
    };
    first.iter_days().take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindred_model::DayWindow;

    fn asked(since: Option<&str>, history_since: Option<&str>, days: Option<(&str, &str)>) -> (usize, String, String) {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let request = ArrivalRequest {
            since: since.map(|at| at.parse().unwrap()),
            now: "2026-03-10T14:00:00Z".parse().unwrap(),
            history_since: history_since.map(day),
            days: days.map(|(from, to)| DayWindow::new(day(from), day(to)).unwrap()),
            reconciles: false,
            known_files: Default::default(),
        };
        let days: Vec<_> = wanted_days(&request).collect();
        let end = |day: Option<&NaiveDate>| day.map_or_else(String::new, ToString::to_string);
        (days.len(), end(days.first()), end(days.last()))
    }

    fn days(count: usize, first: &str, last: &str) -> (usize, String, String) {
        (count, first.to_owned(), last.to_owned())
    }

    #[test]
    fn an_hourly_run_asks_for_today_and_the_two_days_before() {
        let asked = asked(Some("2026-03-10T13:00:00Z"), Some("2025-01-01"), None);
        assert_eq!(asked, days(3, "2026-03-08", "2026-03-10"));
    }

    #[test]
    fn after_downtime_it_asks_from_two_days_before_the_watermark_on() {
        let asked = asked(Some("2026-03-05T23:59:00Z"), None, None);
        assert_eq!(asked, days(8, "2026-03-03", "2026-03-10"));
    }

    #[test]
    fn the_first_run_asks_for_35_days_or_since_when_it_is_told() {
        assert_eq!(asked(None, None, None), days(35, "2026-02-04", "2026-03-10"));
        assert_eq!(
            asked(None, Some("2026-01-01"), None),
            days(69, "2026-01-01", "2026-03-10")
        );
        assert_eq!(
            asked(None, Some("2026-03-10"), None),
            days(3, "2026-03-08", "2026-03-10")
        );
    }

    #[test]
    fn a_backfill_asks_for_its_days_and_for_none_to_come() {
        let since = Some("2026-03-10T13:00:00Z");
        assert_eq!(
            asked(since, None, Some(("2026-01-01", "2026-01-03"))),
            days(2, "2026-01-01", "2026-01-02")
        );
        assert_eq!(
            asked(since, None, Some(("2026-03-10", "2026-03-20"))),
            days(1, "2026-03-10", "2026-03-10")
        );
        assert_eq!(asked(since, None, Some(("2026-03-11", "2026-03-20"))), days(0, "", ""));
    }
}
