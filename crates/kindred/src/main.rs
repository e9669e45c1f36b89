//! `kindred`: the one binary. It reads settings, opens what a command needs, and says how things ended.

mod cli;
mod commands;
mod embedded;
mod examples;
mod exit;
mod platform;
mod probe;
mod progress;
mod settings;
mod shutdown;
mod telemetry;
mod version;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::settings::Settings;

/// Kept answers come and go in every size. The system's allocator leaves ever more holes between them (half as much again
/// as was in use, after five minutes of load); this one does not.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // What needs no settings does not read them, and does not fail by them.
    let said = match &cli.command {
        Command::Completions { shell } => Some(commands::completions(*shell)),
        Command::Describe { table } => Some(commands::describe(table.as_deref())),
        _ => None,
    };
    if let Some(said) = said {
        return said.map_or_else(|error| exit::failed(&error), |()| ExitCode::SUCCESS);
    }
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(mistakes) => return exit::settings(&mistakes),
    };
    telemetry::start(&settings.logging);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("the runtime could not be started")),
    };
    // Ends at once when a command is done: what it leaves behind is not waited for.
    let ended = runtime.block_on(Box::pin(commands::run(cli.command, settings)));
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => exit::failed(&error),
    }
}
