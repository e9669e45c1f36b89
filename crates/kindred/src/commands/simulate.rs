//! `kindred simulate`

use std::io::Write;

use kindred_embedded_pg::EmbeddedPg;
use kindred_model::{Clock, Source};
use kindred_simulator::{Population, SimulatorError, Summary, Targets};
use secrecy::ExposeSecret;

use super::following::keep_going;
use crate::cli::SimulateArgs;
use crate::exit::Usage;
use crate::progress::BARS;
use crate::settings::Settings;
use crate::{embedded, platform, shutdown};

pub(crate) async fn simulate(settings: &Settings, arguments: &SimulateArgs) -> anyhow::Result<()> {
    let server = embedded::start(settings).await?;
    if let Some(server) = &server {
        embedded::prepare(server, settings).await?;
    }
    let options = arguments.population;
    let clock = Clock::system();
    let population = Population {
        users: options.users,
        days: options.days,
        seed: options.seed,
        until: arguments.until.unwrap_or_else(|| clock.now()),
    };
    let targets = targets(settings, server.as_ref())?;
    match kindred_simulator::simulate(&population, &targets, &BARS).await {
        Ok(summary) => print(&summary)?,
        Err(SimulatorError::Occupied { .. }) if arguments.follow => {
            tracing::info!("the history that was written before goes on");
        }
        Err(error) => return Err(error.into()),
    }
    if arguments.follow {
        keep_going(&targets, &clock, &shutdown::token()?).await?;
    }
    if let Some(server) = server {
        server.close().await?;
    }
    Ok(())
}

/// The source databases, by the addresses that extraction reads them from.
pub(crate) fn targets(settings: &Settings, server: Option<&EmbeddedPg>) -> anyhow::Result<Targets> {
    let mut addresses = platform::source_addresses(settings, server);
    let mut required = |source: Source| {
        let address = addresses
            .remove(&source)
            .map(|address| address.expose_secret().to_owned());
        address.ok_or_else(|| {
            Usage(format!(
                "{} is unset: where shall the {source} database be written?",
                source.setting()
            ))
        })
    };
    Ok(Targets {
        users: required(Source::Users)?,
        interactions: required(Source::Interactions)?,
        communications: required(Source::Communications)?,
        moderation: addresses
            .remove(&Source::Moderation)
            .map(|address| address.expose_secret().to_owned()),
    })
}

fn print(summary: &Summary) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for table in &summary.tables {
        writeln!(
            out,
            "{:<16} {:<20} {:>12}",
            table.database.as_str(),
            table.table,
            table.rows
        )?;
    }
    writeln!(out, "{:<16} {:<20} {:>12}", "", "all", summary.rows())?;
    Ok(())
}
