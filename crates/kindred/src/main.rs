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

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Completions { shell } = cli.command {
        return match commands::completions(shell) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failed(&error),
        };
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
