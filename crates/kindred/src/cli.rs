//! The command line.

use std::path::PathBuf;

use chrono::{Datelike, NaiveDate};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use clap_complete::Shell;
use kindred_jobs::JobError;
use kindred_model::{BackfillMode, DayWindow, Instant, Interval, Job};

use crate::examples;
use crate::version::VERSION;

/// KPIs of a dating platform: from its databases to a REST API, Parquet files and a PostgreSQL warehouse.
///
/// Settings come from the environment, and from a file `.env` in the working folder. With DATABASE_URL unset, a
/// private PostgreSQL is run below STATE_DIR. Begin with `kindred demo`.
#[derive(Debug, Parser)]
#[command(name = "kindred", version, propagate_version = true)]
#[command(long_version = VERSION.as_str(), after_help = examples::ALL)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A simulated dating platform with its figures, served at once
    Demo(DemoArgs),
    /// The KPI API and the ETL control API, with the ticker of the jobs and the worker that carries out runs
    #[command(after_help = examples::SERVE)]
    Serve {
        /// Only one of them
        part: Option<Part>,
    },
    /// One run of a job, now, in this process; prints the run
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Every day of a window, oldest first, with a progress bar; can be stopped and resumed
    #[command(after_help = examples::BACKFILL)]
    Backfill(BackfillArgs),
    /// Brings the warehouse's schema up to date
    Migrate,
    /// Tries every connection, contract and setting, and lists all mistakes at once
    Check,
    /// SQL over the lake's facts and figures
    #[command(after_help = examples::QUERY)]
    Query(QueryArgs),
    /// The lake's tables, or the columns of one: types, units and definitions
    #[command(after_help = examples::DESCRIBE)]
    Describe {
        /// The table; all of them by default
        table: Option<String>,
    },
    /// Writes a simulated platform into the source databases
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
    /// The simulated platform's own services: register, log in, like, write and subscribe, with curl
    #[command(after_help = examples::PLAYGROUND)]
    Playground,
    /// The key that stands for a user in the lake and the warehouse
    UserKey {
        /// The user's id in the source: a uuid, or any text
        id: String,
    },
    /// Removes a person from the warehouse and the lake, for good, and keeps them out; prints what was removed
    Erase {
        /// The user's id in the source: a uuid, or any text
        id: String,
    },
    /// Opens psql on a database of the embedded server: analytics, users, interactions, communications, moderation
    #[command(after_help = examples::PSQL)]
    Psql {
        /// The database
        database: String,
        /// Passed on to psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Prints what completes this command line in a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The KPI API alone
    Api,
    /// The ETL control API, the ticker and the worker
    Etl,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PopulationArgs {
    /// People who register within the history
    #[arg(long, default_value_t = 5_000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) users: u32,
    /// Length of the history, which ends now
    #[arg(long, default_value_t = 90, value_parser = value_parser!(u32).range(1..))]
    pub(crate) days: u32,
    /// The same seed gives the same people
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) population: PopulationArgs,
    /// Nothing happens on the platform after its history
    #[arg(long)]
    pub(crate) still: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) population: PopulationArgs,
    /// The end of the history, as 2026-01-31T12:00:00Z; now by default
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) until: Option<Instant>,
    /// Go on in real time, after this history or one that was written before, until stopped
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The job
    #[arg(value_parser = job())]
    pub(crate) job: Job,
    /// This day alone, as 2026-01-31; for weekly the week that was closed when it began. Without a date: what was closed
    /// last and what goes on, which is yesterday and today for daily, the last hour and this one for hourly
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with_all = ["from", "to"])]
    pub(crate) date: Option<NaiveDate>,
    /// The first day
    #[arg(long, value_name = "DAY", value_parser = day, requires = "to")]
    pub(crate) from: Option<NaiveDate>,
    /// The day after the last
    #[arg(long, value_name = "DAY", value_parser = day, requires = "from")]
    pub(crate) to: Option<NaiveDate>,
    /// Compute and check, publish nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl RunArgs {
    /// The time that is asked for at `now`; days must have begun.
    pub(crate) fn interval(&self, now: Instant) -> anyhow::Result<Interval> {
        let days = match (self.date, self.from, self.to) {
            (Some(date), ..) => DayWindow::day(date),
            (None, Some(from), Some(to)) => DayWindow::new(from, to)?,
            _ => return Ok(self.job.default_interval(now)),
        };
        if days.start() > now {
            return Err(JobError::Future(days.into()).into());
        }
        Ok(self.date.map_or(days.into(), |date| self.job.interval_of(date)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// The job
    #[arg(value_parser = job())]
    pub(crate) job: Job,
    /// The first day, as 2026-01-31
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) from: NaiveDate,
    /// The day after the last
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) to: NaiveDate,
    /// Which days of the window
    #[arg(long, default_value_t = BackfillMode::Missing, value_parser = mode())]
    pub(crate) mode: BackfillMode,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The statement. Tables: the facts and figures, by name; each has the column `date`
    pub(crate) sql: String,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines and columns for people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Json,
    /// An Arrow IPC stream
    Arrow,
    /// A Parquet file
    Parquet,
}

/// The jobs by name, so that the help lists them.
fn job() -> impl TypedValueParser<Value = Job> {
    PossibleValuesParser::new(Job::ALL.iter().map(|job| job.as_str())).try_map(|word| word.parse::<Job>())
}

fn mode() -> impl TypedValueParser<Value = BackfillMode> {
    PossibleValuesParser::new(BackfillMode::ALL.iter().map(|mode| mode.as_str()))
        .try_map(|word| word.parse::<BackfillMode>())
}

/// A day of our era: what lies before or after it can be written, and counted with by nobody.
fn day(text: &str) -> Result<NaiveDate, &'static str> {
    let day = text
        .parse()
        .ok()
        .filter(|day: &NaiveDate| (1..=9999).contains(&day.year()));
    day.ok_or("expected a day, such as 2026-01-31")
}

fn instant(text: &str) -> Result<Instant, &'static str> {
    let instant = text
        .parse()
        .ok()
        .filter(|at: &Instant| (1970..=9999).contains(&at.year()));
    instant.ok_or("expected an instant, such as 2026-01-31T12:00:00Z")
}
