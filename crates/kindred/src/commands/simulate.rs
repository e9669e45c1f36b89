//! `kindred simulate`

use std::io::Write;

use kindred_embedded_pg::EmbeddedPg;
use kindred_model::{Clock, Source};
use kindred_simulator::{Population, Summary, Targets};
use secrecy::ExposeSecret;

use crate::cli::SimulateArgs;
use crate::exit::Usage;
use crate::progress::BARS;
use crate::settings::Settings;
use crate::{embedded, platform};

pub(crate) async fn simulate(settings: &Settings, arguments: &SimulateArgs) -> anyhow::Result<()> {
    let server = embedded::start(settings).await?;
    if let Some(server) = &server {
        embedded::prepare(server, settings).await?;
    }
    let options = arguments.population;
    let until = arguments.until.unwrap_or_else(|| Clock::system().now());
    let population = Population {
        users: options.users,
        days: options.days,
        seed: options.seed,
        until,
    };
    let targets = targets(settings, server.as_ref())?;
    let summary = kindred_simulator::simulate(&population, &targets, &BARS).await?;
    print(&summary)?;
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
