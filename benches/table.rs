//! `bench-table` prints what the benchmarks have kept, as one table. Fails when a figure misses its limit, or
//! a benchmark has none.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]

use anyhow::ensure;
use kindred_benches::figures::{HEAD, kept};

/// The benchmarks, in the order of the table.
const BENCHMARKS: [&str; 9] = [
    "extract",
    "load",
    "plans",
    "night",
    "growth-days",
    "growth-memory",
    "growth-hours",
    "growth-demo",
    "api",
];

fn main() -> anyhow::Result<()> {
    println!("{HEAD}");
    let mut missed = 0;
    for name in BENCHMARKS {
        let figures = kept(name)?;
        if figures.is_empty() {
            missed += 1;
            println!("| {name} | | **not run** | | |");
        }
        for figure in figures {
            missed += usize::from(!figure.is_reached());
            println!("{}", figure.row());
        }
    }
    ensure!(missed == 0, "{missed} figures miss their limits or are not there");
    Ok(())
}
