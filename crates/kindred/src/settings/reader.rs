//! Reads variables and gathers what is wrong with them.

use std::fmt::Display;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;

/// A setting that has to be corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) setting: &'static str,
    pub(crate) problem: String,
}

impl Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

/// The variables, and the mistakes found so far. After a mistake a default stands in, so that reading goes on.
pub(crate) struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            variable,
            mistakes: Vec::new(),
        }
    }

    pub(crate) fn mistake(&mut self, setting: &'static str, problem: impl Into<String>) {
        self.mistakes.push(Mistake {
            setting,
            problem: problem.into(),
        });
    }

    /// A text; `None` when it is unset or empty.
    pub(crate) fn text(&self, setting: &str) -> Option<String> {
        (self.variable)(setting)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// A value of any type that is written as text.
    pub(crate) fn value<T>(&mut self, setting: &'static str, expected: &str) -> Option<T>
    where
        T: FromStr,
    {
        let text = self.text(setting)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.mistake(setting, format!("`{text}` is not {expected}"));
        }
        value
    }

    /// One of two words.
    pub(crate) fn flag(&mut self, setting: &'static str) -> bool {
        self.value(setting, "true or false").unwrap_or(false)
    }

    /// A PostgreSQL address. What is wrong is said without quoting it: it may hold a password.
    pub(crate) fn postgres(&mut self, setting: &'static str) -> Option<SecretString> {
        let text = self.text(setting)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Some(SecretString::from(text)),
            // Its scheme is not repeated either: of `name:password@host` it is the name.
            Ok(_) => {
                self.mistake(
                    setting,
                    "is no PostgreSQL address; write postgresql://user:password@host:5432/name",
                );
                None
            }
            Err(error) => {
                self.mistake(
                    setting,
                    format!("is no address ({error}); write postgresql://user:password@host:5432/name"),
                );
                None
            }
        }
    }

    /// An address that requests are sent to. It is not quoted either.
    pub(crate) fn http(&mut self, setting: &'static str) -> Option<SecretString> {
        let text = self.text(setting)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(SecretString::from(text)),
            _ => {
                self.mistake(setting, "is no address; write https://host/path".to_owned());
                None
            }
        }
    }

    pub(crate) fn finish<T>(self, settings: T) -> Result<T, Vec<Mistake>> {
        if self.mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(self.mistakes)
        }
    }
}
