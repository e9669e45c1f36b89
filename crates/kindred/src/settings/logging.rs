//! What is logged, and how; and who is told of alerts.

use secrecy::SecretString;

use super::Reader;

/// Settings of the logs.
#[derive(Debug)]
pub(crate) struct Logging {
    /// `LOG_LEVEL`, a word that the subscriber knows.
    pub(crate) level: &'static str,
    /// `LOG_FORMAT`.
    pub(crate) format: LogFormat,
    /// `ALERT_WEBHOOK_URL`: where alerts are told; it may hold a token.
    pub(crate) alert_webhook: Option<SecretString>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}

const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "off"];

impl Logging {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let given = reader
            .text("LOG_LEVEL")
            .unwrap_or_else(|| "info".to_owned())
            .to_lowercase();
        let level = LEVELS.into_iter().find(|level| *level == given).unwrap_or_else(|| {
            reader.mistake("LOG_LEVEL", format!("`{given}` is none of {}", LEVELS.join(", ")));
            "info"
        });
        let format = match reader.text("LOG_FORMAT").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                reader.mistake("LOG_FORMAT", format!("`{other}` is neither text nor json"));
                LogFormat::Text
            }
        };
        Self {
            level,
            format,
            alert_webhook: reader.http("ALERT_WEBHOOK_URL"),
        }
    }
}
