//! The commands, one file each.

mod backfill;
mod check;
mod completions;
mod demo;
mod describe;
mod erase;
mod following;
mod migrate;
mod playground;
mod psql;
mod query;
mod run;
mod serve;
mod simulate;
mod user_key;

use std::process::ExitCode;

pub(crate) use completions::completions;
pub(crate) use describe::describe;

use crate::cli::Command;
use crate::settings::Settings;

/// Carries out a command.
pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(arguments) => Box::pin(demo::demo(&settings, &arguments)).await?,
        Command::Serve { part } => Box::pin(serve::serve(&settings, part)).await?,
        Command::Run(arguments) => Box::pin(run::run(&settings, &arguments)).await?,
        Command::Backfill(arguments) => Box::pin(backfill::backfill(&settings, &arguments)).await?,
        Command::Migrate => migrate::migrate(&settings).await?,
        Command::Check => check::check(&settings).await?,
        Command::Query(arguments) => query::query(&settings, &arguments).await?,
        Command::Simulate(arguments) => simulate::simulate(&settings, &arguments).await?,
        Command::Playground => Box::pin(playground::playground(&settings)).await?,
        Command::UserKey { id } => user_key::user_key(&settings, &id)?,
        Command::Erase { id } => Box::pin(erase::erase(&settings, &id)).await?,
        Command::Completions { shell } => completions(shell)?,
        Command::Describe { table } => describe(table.as_deref())?,
        Command::Psql { database, arguments } => return psql::psql(&settings, &database, &arguments).await,
    }
    Ok(ExitCode::SUCCESS)
}
