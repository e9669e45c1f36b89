//! `kindred check`: everything is tried, and every mistake listed, before anything depends on it.

use std::io::Write;

use kindred_extract::{ErrorKind, ExtractError};
use kindred_jobs::describe;
use kindred_model::{Clock, Fact, Source};
use kindred_warehouse::Warehouse;

use crate::exit::CheckFailed;
use crate::settings::Settings;
use crate::{embedded, platform};

pub(crate) async fn check(settings: &Settings) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    // The settings themselves were read before any command began.
    findings.note("settings", Ok("well-formed".to_owned()));
    let server = match embedded::start(settings).await {
        Ok(server) => server,
        Err(error) => {
            findings.unreachable("embedded server", describe(error.as_ref()));
            return findings.finish();
        }
    };
    if let Some(server) = &server {
        embedded::prepare(server, settings).await?;
        findings.note("embedded server", Ok("runs".to_owned()));
    }
    if let Some(Ok(risk)) = settings.storage.warehouse.as_ref().map(Warehouse::risk) {
        platform::warn_of("DATABASE_URL", risk);
    }
    match platform::warehouse(settings, server.as_ref(), "kindred check").await {
        Ok(warehouse) => {
            let migrated = warehouse
                .migrate()
                .await
                .map(|()| "answers, its schema is up to date".to_owned());
            findings.note("warehouse", migrated.map_err(|error| describe(&error)));
            warehouse.pool().close().await;
        }
        Err(error) => findings.unreachable("warehouse", describe(error.as_ref())),
    }
    match platform::lake(settings) {
        Ok(lake) => match lake.probe().await {
            Err(error) if error.is_unreachable() => findings.unreachable("lake", describe(&error)),
            probed => findings.note(
                "lake",
                probed
                    .map(|()| "can be written".to_owned())
                    .map_err(|error| describe(&error)),
            ),
        },
        Err(error) => findings.note("lake", Err(describe(error.as_ref()))),
    }
    let queries = platform::queries(settings).map(|queries| format!("{} in the library", queries.iter().count()));
    findings.note("queries", queries.map_err(|error| describe(error.as_ref())));
    check_sources(settings, server.as_ref(), &mut findings).await?;
    check_events(settings, server.as_ref(), &mut findings).await;
    if let Some(server) = server {
        server.close().await?;
    }
    findings.finish()
}

async fn check_sources(
    settings: &Settings,
    server: Option<&kindred_embedded_pg::EmbeddedPg>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let keys = platform::user_keys(settings)?;
    let mut addresses = platform::source_addresses(settings, server);
    for &source in Source::DATABASES {
        let name = format!("source {source}");
        let Some(url) = addresses.remove(&source) else {
            let unset = format!("{} is unset", source.setting());
            findings.note(
                &name,
                if source.is_optional() {
                    Ok(unset + ": its figures are null")
                } else {
                    Err(unset)
                },
            );
            continue;
        };
        let database = match platform::source(settings, &keys, source, url) {
            Ok(database) => database,
            Err(error) => {
                findings.note(&name, Err(describe(error.as_ref())));
                continue;
            }
        };
        platform::warn_of(source.setting(), database.risk());
        let facts: Vec<_> = Fact::ALL
            .iter()
            .copied()
            .filter(|fact| fact.source() == source)
            .collect();
        match database.check(&facts).await {
            Ok(()) => findings.note(&name, Ok(format!("answers, {} facts keep the contract", facts.len()))),
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| findings.source(&name, mistake));
            }
        }
    }
    Ok(())
}

async fn check_events(settings: &Settings, server: Option<&kindred_embedded_pg::EmbeddedPg>, findings: &mut Findings) {
    const NAME: &str = "source events";
    match platform::events(settings, server) {
        Ok(Some(events)) => {
            if settings.events.address.is_some() {
                platform::warn_of("EVENTS_URL", events.risk());
            }
            match events.check(Clock::system().now()).await {
                Ok(()) => findings.note(NAME, Ok("answers, its events keep the contract".to_owned())),
                Err(mistakes) => mistakes.iter().for_each(|mistake| findings.source(NAME, mistake)),
            }
        }
        Ok(None) => findings.note(
            NAME,
            Err("EVENTS_URL is unset, and the interactions database too".to_owned()),
        ),
        Err(error) => findings.note(NAME, Err(describe(error.as_ref()))),
    }
}

/// What was found, printed as it comes.
#[derive(Default)]
struct Findings {
    mistakes: usize,
    unreachable: bool,
}

impl Findings {
    fn note(&mut self, what: &str, finding: Result<String, String>) {
        let (mark, text) = match finding {
            Ok(text) => ("ok     ", text),
            Err(text) => {
                self.mistakes += 1;
                ("MISTAKE", text)
            }
        };
        // A closed standard output is no reason to stop checking.
        let _ = writeln!(std::io::stdout(), "{mark}  {what:<22}  {text}");
    }

    fn unreachable(&mut self, what: &str, text: String) {
        self.unreachable = true;
        self.note(what, Err(text));
    }

    fn source(&mut self, name: &str, mistake: &ExtractError) {
        if matches!(mistake.kind(), ErrorKind::Unreachable | ErrorKind::Credentials) {
            self.unreachable(name, describe(mistake));
        } else {
            self.note(name, Err(describe(mistake)));
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        if self.mistakes == 0 {
            return Ok(());
        }
        Err(CheckFailed {
            count: self.mistakes,
            unreachable: self.unreachable,
        }
        .into())
    }
}
