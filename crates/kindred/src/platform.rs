//! Opens, from the settings, what the commands work with.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use kindred_embedded_pg::EmbeddedPg;
use kindred_engine::{Engine, EngineOptions, QueryLibrary};
use kindred_extract::{
    EventSource, EventsConfig, PostgresSource, SourceConfig, UserKeys, embedded_queries, queries_from,
};
use kindred_jobs::{JobSettings, Platform, Webhook};
use kindred_lake::Lake;
use kindred_model::{Clock, Source};
use kindred_warehouse::{ConnectOptions, STALE_AFTER, Warehouse};
use secrecy::{ExposeSecret, SecretString};

use crate::embedded;
use crate::settings::Settings;

/// How long one extraction or one plan may take: longer than any sound one, shorter than a night.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// Rows in a batch that leaves a source, and batches that may wait for the lake: together some megabytes.
const BATCH_ROWS: usize = 8 * 1024;
const QUEUE_BATCHES: usize = 4;

/// A platform, with the server that it may stand on.
pub(crate) struct Opened {
    pub(crate) platform: Arc<Platform>,
    /// Let go of last: everything else may use it.
    pub(crate) embedded: Option<EmbeddedPg>,
}

/// Opens everything, brings the warehouse's schema up to date, and clears what dead runs have left.
pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Opened> {
    let embedded = embedded::start(settings).await?;
    if let Some(server) = &embedded {
        embedded::prepare(server, settings).await?;
    }
    let clock = Clock::system();
    let looked = clock.now();
    let alone = match &embedded {
        Some(server) => !embedded::has_worker(server).await?,
        None => false,
    };
    let warehouse = warehouse(settings, embedded.as_ref(), embedded::WORKER).await?;
    warehouse.migrate().await?;
    let lake = lake(settings)?;
    // Nobody else worked on the embedded server when we looked: what ran before then is dead, however fresh.
    let now = clock.now();
    let patience = if alone {
        (now - looked).to_std().unwrap_or_default()
    } else {
        STALE_AFTER
    };
    warehouse.reap(now, patience).await?;
    kindred_jobs::sweep(&lake, &warehouse).await?;
    let platform = Platform {
        clock,
        sources: sources(settings, embedded.as_ref())?,
        events: events(settings, embedded.as_ref())?,
        lake,
        engine: engine(settings)?,
        queries: queries(settings)?,
        warehouse,
        webhook: webhook(settings)?,
        settings: JobSettings {
            currency: settings.limits.currency.clone(),
            history_since: settings.sources.history_since,
            events_warehouse_days: settings.events.warehouse_days,
            events_lake_days: settings.events.lake_days,
            funnels: settings.funnels.specs.clone(),
        },
    };
    warn_of_risks(settings, &platform)?;
    Ok(Opened {
        platform: Arc::new(platform),
        embedded,
    })
}

/// Says which connections to other machines are made without a verified server, since their addresses ask for that.
fn warn_of_risks(settings: &Settings, platform: &Platform) -> anyhow::Result<()> {
    if let Some(url) = &settings.storage.warehouse {
        warn_of("DATABASE_URL", Warehouse::risk(url)?);
    }
    for (source, database) in &platform.sources {
        warn_of(source.setting(), database.risk());
    }
    if let (Some(_), Some(events)) = (&settings.events.address, &platform.events) {
        warn_of("EVENTS_URL", events.risk());
    }
    Ok(())
}

/// Says what a setting risks, if anything.
pub(crate) fn warn_of(setting: &str, risk: Option<String>) {
    if let Some(risk) = risk {
        tracing::warn!("{setting}: {risk}");
    }
}

/// Who is told of alerts, when somebody is.
fn webhook(settings: &Settings) -> anyhow::Result<Option<Webhook>> {
    let address = settings.logging.alert_webhook.clone();
    let webhook = address.map(Webhook::new).transpose();
    webhook.context("ALERT_WEBHOOK_URL cannot be used: this machine's certificates could not be read")
}

impl Opened {
    /// Lets go of everything, and waits until a server that nobody else uses has stopped.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.platform.warehouse.pool().close().await;
        drop(self.platform);
        if let Some(server) = self.embedded {
            server.close().await?;
        }
        Ok(())
    }
}

/// The warehouse at its address, or on the embedded server.
pub(crate) async fn warehouse(
    settings: &Settings,
    embedded: Option<&EmbeddedPg>,
    name: &str,
) -> anyhow::Result<Warehouse> {
    let (url, options) = warehouse_address(settings, embedded, name)?;
    let connected = Warehouse::connect(&url, &options).await;
    match embedded {
        Some(_) => Ok(connected?),
        None => connected.context("the warehouse of DATABASE_URL cannot be used"),
    }
}

/// Where the warehouse is, and how it is connected to under this name.
pub(crate) fn warehouse_address(
    settings: &Settings,
    embedded: Option<&EmbeddedPg>,
    name: &str,
) -> anyhow::Result<(SecretString, ConnectOptions)> {
    let url = match (&settings.storage.warehouse, embedded) {
        (Some(url), _) => url.clone(),
        (None, Some(server)) => SecretString::from(server.url(embedded::WAREHOUSE)),
        (None, None) => anyhow::bail!("there is no warehouse: set DATABASE_URL"),
    };
    Ok((
        url,
        ConnectOptions {
            application_name: name.to_owned(),
            ..ConnectOptions::default()
        },
    ))
}

/// The lake at its address.
pub(crate) fn lake(settings: &Settings) -> anyhow::Result<Lake> {
    Ok(Lake::open(
        &settings.storage.lake,
        settings.storage.store_options.iter().cloned(),
    )?)
}

/// The engine, within the memory that it may take.
pub(crate) fn engine(settings: &Settings) -> anyhow::Result<Engine> {
    // The engine makes its own folder there, and no other.
    let state = &settings.storage.state_dir;
    std::fs::create_dir_all(state).with_context(|| {
        let folder = state.display();
        format!("the folder {folder} for temporary files cannot be made: check the rights above it (STATE_DIR)")
    })?;
    let options = EngineOptions {
        memory_limit: usize::try_from(settings.limits.memory).unwrap_or(usize::MAX),
        spill_folder: state.join("spill"),
        deadline: DEADLINE,
        target_partitions: available_parallelism().map_or(1, NonZero::get),
    };
    Ok(Engine::new(options)?)
}

/// The queries, with those of `QUERIES_DIR` in their place.
pub(crate) fn queries(settings: &Settings) -> anyhow::Result<QueryLibrary> {
    Ok(match &settings.storage.queries_dir {
        Some(folder) => QueryLibrary::with_overrides(folder)?,
        None => QueryLibrary::embedded()?,
    })
}

/// The user keys' hasher.
pub(crate) fn user_keys(settings: &Settings) -> anyhow::Result<UserKeys> {
    let secret = match &settings.storage.user_key_secret {
        Some(secret) => secret.clone(),
        None => embedded::user_key_secret(&settings.storage.state_dir)?,
    };
    Ok(UserKeys::new(secret.expose_secret())?)
}

/// The sources that have an address, or a database on the embedded server.
pub(crate) fn sources(
    settings: &Settings,
    embedded: Option<&EmbeddedPg>,
) -> anyhow::Result<BTreeMap<Source, PostgresSource>> {
    let keys = user_keys(settings)?;
    let addresses = source_addresses(settings, embedded).into_iter();
    addresses
        .map(|(source, url)| Ok((source, self::source(settings, &keys, source, url)?)))
        .collect()
}

/// The source at an address.
pub(crate) fn source(
    settings: &Settings,
    keys: &UserKeys,
    source: Source,
    url: SecretString,
) -> anyhow::Result<PostgresSource> {
    let queries = match &settings.storage.queries_dir {
        Some(folder) => queries_from(folder, source)?,
        None => embedded_queries(source),
    };
    Ok(PostgresSource::new(SourceConfig {
        source,
        url,
        keys: keys.clone(),
        queries,
        deadline: DEADLINE,
        batch_rows: BATCH_ROWS,
        queue_batches: QUEUE_BATCHES,
    })?)
}

/// Where events come from: the address that is set, or the table in the interactions database.
pub(crate) fn events(settings: &Settings, embedded: Option<&EmbeddedPg>) -> anyhow::Result<Option<EventSource>> {
    let interactions = || source_addresses(settings, embedded).remove(&Source::Interactions);
    let Some(address) = settings.events.address.clone().or_else(interactions) else {
        return Ok(None);
    };
    let queries = match &settings.storage.queries_dir {
        Some(folder) => queries_from(folder, Source::Events)?,
        None => embedded_queries(Source::Events),
    };
    let config = EventsConfig {
        address,
        keys: user_keys(settings)?,
        properties: settings.events.properties.clone(),
        queries,
        deadline: DEADLINE,
        batch_rows: BATCH_ROWS,
        queue_batches: QUEUE_BATCHES,
        store_options: settings.storage.store_options.clone(),
        mixpanel: settings.events.mixpanel.clone(),
    };
    Ok(Some(EventSource::new(config)?))
}

/// Where each source is.
pub(crate) fn source_addresses(settings: &Settings, embedded: Option<&EmbeddedPg>) -> BTreeMap<Source, SecretString> {
    let address = |source: Source| {
        let set = settings.sources.addresses.get(&source).cloned();
        set.or_else(|| embedded.map(|server| SecretString::from(server.url(source.as_str()))))
    };
    Source::DATABASES
        .iter()
        .filter_map(|source| Some((*source, address(*source)?)))
        .collect()
}
