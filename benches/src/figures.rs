//! What a benchmark came to: a row of the table for each figure, kept as JSON until `bench-table` prints them all.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Context;
use serde::{Deserialize, Deserializer, Serialize};

/// Where a figure must lie to be good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// The more the better.
    AtLeast(f64),
    /// The less the better.
    AtMost(f64),
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What was measured: "extract 5 M sessions, 1 stream".
    pub what: String,
    /// Its floor or peer, in the same run: "psql COPY BINARY to nothing".
    pub against: String,
    /// What it came to: a ratio, unless `unit` says otherwise; not a number when it could not be measured.
    #[serde(deserialize_with = "null_is_no_number")]
    pub value: f64,
    /// "times", "MB", "s".
    pub unit: String,
    /// What it must reach.
    pub limit: Limit,
    /// What was seen of both, for people: "8.51 s against 9.20 s".
    pub seen: String,
}

impl Figure {
    /// One that could not be measured, which misses whatever limit there is.
    #[must_use]
    pub fn not_measured(what: &str, why: String) -> Self {
        Self {
            what: what.to_owned(),
            against: String::new(),
            value: f64::NAN,
            unit: String::new(),
            limit: Limit::AtMost(0.0),
            seen: why,
        }
    }

    /// Whether it is as good as it must be.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        match self.limit {
            Limit::AtLeast(least) => self.value >= least,
            Limit::AtMost(most) => self.value <= most,
        }
    }

    /// The row, as Markdown.
    #[must_use]
    pub fn row(&self) -> String {
        let Self {
            what,
            against,
            value,
            unit,
            limit,
            seen,
        } = self;
        if value.is_nan() {
            return format!("| {what} | | **not measured** | | {seen} |");
        }
        let limit = match limit {
            Limit::AtLeast(least) => format!("≥ {least}"),
            Limit::AtMost(most) => format!("≤ {most}"),
        };
        let verdict = if self.is_reached() { "" } else { " **missed**" };
        let unit = if unit == "times" { "×" } else { unit };
        format!("| {what} | {against} | {value:.2} {unit}{verdict} | {limit} | {seen} |")
    }
}

/// What JSON has in the place of a number that is none.
fn null_is_no_number<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::NAN))
}

/// The table's head, as Markdown.
pub const HEAD: &str = "| what | against | figure | limit | seen |\n|---|---|---|---|---|";

/// Prints a benchmark's figures, and keeps them as `bench/NAME.json` in the target folder.
///
/// # Errors
/// The file cannot be written.
#[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
pub fn publish(name: &str, figures: &[Figure]) -> anyhow::Result<()> {
    println!("\n{HEAD}");
    for figure in figures {
        println!("{}", figure.row());
    }
    let file = folder()?.join(format!("{name}.json"));
    let json = serde_json::to_vec_pretty(figures)?;
    fs::write(&file, json).with_context(|| format!("{} cannot be written", file.display()))
}

/// The figures that benchmark `name` has kept; none when it has not run.
///
/// # Errors
/// What is kept is no list of figures.
pub fn kept(name: &str) -> anyhow::Result<Vec<Figure>> {
    let file = folder()?.join(format!("{name}.json"));
    match fs::read(&file) {
        Ok(json) => serde_json::from_slice(&json).with_context(|| format!("{} holds no figures", file.display())),
        Err(_) => Ok(Vec::new()),
    }
}

/// `bench/` in the target folder, beside the folder of the release binaries.
///
/// # Errors
/// This binary lies in no target folder, or the folder cannot be made.
pub fn folder() -> anyhow::Result<PathBuf> {
    let binary = env::current_exe()?;
    let target = binary.ancestors().nth(2);
    let folder = target.context("a binary outside of a target folder")?.join("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
