//! Schedules: standard cron of five fields, in UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SubsecRound};
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use kindred_model::{Instant, Job};

/// The instants at which a job ticks: minute, hour, day of month, month, day of week (0 and 7 are Sunday), with lists,
/// ranges, steps and English three-letter names. When both days are restricted, either may match, as in any cron.
#[derive(Debug, Clone)]
pub struct Schedule {
    expression: String,
    cron: Cron,
}

/// Why a text is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// It has no five fields.
    #[error("`{expression}` has {found} fields; {}", EXPECTED)]
    Fields {
        /// The text.
        expression: String,
        /// How many it has.
        found: usize,
    },
    /// A field holds something that is not of standard cron.
    #[error(
        "`{word}` in `{expression}` is no number, range, step or name of standard cron; {}",
        EXPECTED
    )]
    Word {
        /// The text.
        expression: String,
        /// What is not understood.
        word: String,
    },
    /// A field holds a number that it cannot.
    #[error("`{expression}` cannot be read; {}", EXPECTED)]
    Syntax {
        /// The text.
        expression: String,
        /// What is wrong with it.
        #[source]
        source: CronError,
    },
    /// No instant matches it.
    #[error("`{expression}` never comes: no such day has such a date; {}", EXPECTED)]
    Never {
        /// The text.
        expression: String,
    },
}

const EXPECTED: &str =
    "write minute, hour, day of month, month and day of week in UTC, such as `0 1 * * *` or `*/15 8-18 * * mon-fri`";

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// The schedule of a job for which nothing else is set.
    #[must_use]
    pub fn default_of(job: Job) -> Self {
        let expression = match job {
            Job::Daily => "0 1 * * *",
            Job::Hourly => "5 * * * *",
            Job::Weekly => "0 2 * * 1",
            Job::Sessions => "*/15 * * * *",
        };
        expression.parse().expect("a schedule")
    }

    /// The first tick after `at`.
    #[must_use]
    pub fn next_after(&self, at: Instant) -> Option<Instant> {
        self.cron.find_next_occurrence(&at.trunc_subsecs(0), false).ok()
    }

    /// The last tick up to `at`, which may be `at`.
    #[must_use]
    pub fn latest(&self, at: Instant) -> Option<Instant> {
        self.cron.find_previous_occurrence(&at.trunc_subsecs(0), true).ok()
    }

    /// The last tick before the whole second `at`.
    #[must_use]
    pub fn latest_before(&self, at: Instant) -> Option<Instant> {
        self.cron.find_previous_occurrence(&at, false).ok()
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let expression = fields.join(" ");
        if fields.len() != 5 {
            let found = fields.len();
            return Err(ScheduleError::Fields { expression, found });
        }
        // The parser knows more than standard cron, and takes names anywhere.
        for (position, field) in fields.iter().enumerate() {
            if let Some(word) = field.split([',', '-', '/']).find(|word| !is_standard(word, position)) {
                let word = word.to_owned();
                return Err(ScheduleError::Word { expression, word });
            }
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = match parser.parse(&expression) {
            Ok(cron) => cron,
            Err(source) => return Err(ScheduleError::Syntax { expression, source }),
        };
        if cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).is_err() {
            return Err(ScheduleError::Never { expression });
        }
        Ok(Self { expression, cron })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.expression)
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl Eq for Schedule {}

/// Whether a part of a field is one that every cron knows in this position.
fn is_standard(word: &str, position: usize) -> bool {
    let is_name = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    let is_number = !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_digit());
    match position {
        _ if word == "*" || is_number => true,
        3 => is_name(&MONTHS),
        4 => is_name(&WEEKDAYS),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
