//! One request to the export, and what its answer means.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use futures::{StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tokio_util::io::StreamReader;
use url::Url;

use super::Patience;
use super::pace::Pace;
use crate::ExtractError;
use crate::events::lines::Lines;

/// Characters of what Mixpanel says that an error repeats.
const SAID: usize = 200;

/// Mixpanel's export for one project.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) export: Url,
    pub(super) project: String,
    pub(super) username: String,
    pub(super) secret: SecretString,
    pub(super) pace: Mutex<Pace>,
    pub(super) patience: Patience,
}

/// Why a day could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another try may succeed.
    Passing { reason: String },
    /// The project's limit is used up, for a time that Mixpanel or our own count may tell.
    Limit { wait: Option<Duration> },
    /// No try will.
    Final(ExtractError),
}

impl Client {
    /// Asks for a day's events, in its turn.
    pub(super) async fn day(&self, day: NaiveDate) -> Result<Lines, Fault> {
        let answer = self.ask(day, &[]).await?;
        // Its address would only say again what was asked for.
        let pieces = answer
            .bytes_stream()
            .map_err(|error| io::Error::other(error.without_url()));
        let text = StreamReader::new(pieces.boxed());
        Lines::of(text).await.map_err(|error| Fault::Passing {
            reason: error.to_string(),
        })
    }

    /// Asks for one event of a day.
    pub(super) async fn check(&self, day: NaiveDate) -> Result<(), ExtractError> {
        match self.ask(day, &[("limit", "1")]).await {
            Ok(_) => Ok(()),
            Err(fault) => Err(self.error(fault, day, 1)),
        }
    }

    /// What a fault is that nothing more is done about, after so many tries.
    pub(super) fn error(&self, fault: Fault, day: NaiveDate, tries: u32) -> ExtractError {
        let project = self.project.clone();
        match fault {
            Fault::Final(error) => error,
            Fault::Limit { wait } => ExtractError::ExportLimit { project, day, wait },
            Fault::Passing { reason } => ExtractError::ExportUnavailable {
                project,
                day,
                tries,
                reason,
            },
        }
    }

    async fn ask(&self, day: NaiveDate, more: &[(&str, &str)]) -> Result<Response, Fault> {
        let booked = {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            pace.book(Instant::now(), self.patience.longest_wait)
        };
        let wait = booked.map_err(|wait| Fault::Limit { wait: Some(wait) })?;
        tokio::time::sleep(wait).await;
        let day = day.to_string();
        let asking = self
            .http
            .get(self.export.clone())
            .query(&[
                ("project_id", self.project.as_str()),
                ("from_date", &day),
                ("to_date", &day),
            ])
            .query(more)
            .basic_auth(&self.username, Some(self.secret.expose_secret()))
            // Unpacked by whoever reads the lines.
            .header(ACCEPT_ENCODING, "gzip");
        let answer = asking.send().await.map_err(|error| Fault::Passing {
            reason: chain(&error.without_url()),
        })?;
        let status = answer.status();
        if status.is_success() {
            Ok(answer)
        } else {
            Err(self.refusal(status, answer).await)
        }
    }

    async fn refusal(&self, status: StatusCode, answer: Response) -> Fault {
        let wait = retry_after(answer.headers());
        let said = said(answer).await;
        let project = self.project.clone();
        match status.as_u16() {
            429 => Fault::Limit { wait },
            408 | 500.. => Fault::Passing {
                reason: format!("{status}{said}"),
            },
            401 => Fault::Final(ExtractError::ExportCredentials { project, said }),
            402 | 403 => Fault::Final(ExtractError::ExportForbidden { project, said }),
            _ => Fault::Final(ExtractError::ExportRefused {
                project,
                status: status.to_string(),
                said,
            }),
        }
    }
}

/// How long an answer asks to wait: in seconds, or until an instant by the clock of the server itself.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(after).ok()?;
    let now = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
    (until - now).to_std().ok()
}

/// The beginning of what an answer says in its body, to stand behind its status: `: invalid project`.
async fn said(mut answer: Response) -> String {
    let Ok(Some(piece)) = answer.chunk().await else {
        return String::new();
    };
    let json: Option<serde_json::Value> = serde_json::from_slice(&piece).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str());
    let whole = String::from_utf8_lossy(&piece);
    let printable = error
        .unwrap_or(&whole)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let text: String = printable.take(SAID).collect();
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// An error with everything behind it: an HTTP client's own words alone are "error sending request".
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(reqwest::header::HeaderName, &str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        retry_after(&headers.collect())
    }

    #[test]
    fn retry_after_is_seconds_or_an_instant_by_the_servers_own_clock() {
        let instant = "Tue, 10 Mar 2026 14:01:30 GMT";
        assert_eq!(wait(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            wait(&[(DATE, "Tue, 10 Mar 2026 14:00:00 GMT"), (RETRY_AFTER, instant)]),
            Some(Duration::from_secs(90))
        );
        for useless in [
            vec![],
            vec![(RETRY_AFTER, "soon")],
            vec![(RETRY_AFTER, "-1")],
            vec![(RETRY_AFTER, instant)],
            vec![(RETRY_AFTER, instant), (DATE, "Tue, 10 Mar 2026 15:00:00 GMT")],
        ] {
            assert_eq!(wait(&useless), None, "{useless:?}");
        }
    }
}
