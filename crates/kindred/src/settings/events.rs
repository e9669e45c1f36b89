//! Where events come from, and what is kept of them.

use kindred_extract::{EventSource, MixpanelSettings, PropertyList};
use secrecy::SecretString;

use super::Reader;

/// Days of events that the warehouse keeps when nothing is said.
const WAREHOUSE_DAYS: u64 = 35;

/// Days of events that figures may be computed from: those of a window, of the oldest day that is restated.
const LEAST_LAKE_DAYS: u64 = 130;

/// Settings of the event stream.
#[derive(Debug)]
pub(crate) struct Events {
    /// `EVENTS_URL`; none: the interactions database.
    pub(crate) address: Option<SecretString>,
    /// `EVENT_PROPERTIES`, names separated by commas.
    pub(crate) properties: PropertyList,
    /// `EVENTS_WAREHOUSE_DAYS`, the current day included.
    pub(crate) warehouse_days: u64,
    /// `EVENTS_LAKE_DAYS`, the current day included; none: all events are kept.
    pub(crate) lake_days: Option<u64>,
    /// `MIXPANEL_USERNAME`, `MIXPANEL_SECRET`, `MIXPANEL_BASE_URL`.
    pub(crate) mixpanel: MixpanelSettings,
}

impl Events {
    /// `store_options` are the object stores' own settings.
    pub(super) fn read(reader: &mut Reader<'_>, store_options: &[(String, String)]) -> Self {
        let names = reader.text("EVENT_PROPERTIES").map(|names| {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            PropertyList::new(names.map(str::to_owned))
        });
        let days = reader.value("EVENTS_WAREHOUSE_DAYS", "a number of days, such as 35");
        let warehouse_days = days.unwrap_or(WAREHOUSE_DAYS);
        if !(1..=3_650).contains(&warehouse_days) {
            reader.mistake("EVENTS_WAREHOUSE_DAYS", "must lie between 1 and 3650");
        }
        let lake_days = reader.value("EVENTS_LAKE_DAYS", "a number of days, such as 400");
        if lake_days.is_some_and(|days| days < LEAST_LAKE_DAYS.max(warehouse_days)) {
            let problem = format!(
                "must be {LEAST_LAKE_DAYS} or more, since figures of the last 35 days look back 90 more, and no less than \
                 EVENTS_WAREHOUSE_DAYS"
            );
            reader.mistake("EVENTS_LAKE_DAYS", problem);
        }
        let address = reader.text("EVENTS_URL");
        let checked = address
            .as_ref()
            .map(|address| EventSource::check_address(address, store_options.to_vec()));
        if let Some(Err(error)) = checked {
            let problem = error.to_string();
            reader.mistake("EVENTS_URL", problem.trim_start_matches("EVENTS_URL "));
        }
        let mixpanel = MixpanelSettings {
            username: reader.text("MIXPANEL_USERNAME"),
            secret: reader.text("MIXPANEL_SECRET").map(SecretString::from),
            base_url: reader.text("MIXPANEL_BASE_URL"),
            ..MixpanelSettings::default()
        };
        if address
            .as_ref()
            .is_some_and(|address| address.starts_with("mixpanel://"))
        {
            for (setting, unset) in [
                ("MIXPANEL_USERNAME", mixpanel.username.is_none()),
                ("MIXPANEL_SECRET", mixpanel.secret.is_none()),
            ] {
                if unset {
                    reader.mistake(
                        setting,
                        "is required beside a mixpanel:// address: a service account signs in",
                    );
                }
            }
        }
        Self {
            address: address.map(SecretString::from),
            properties: names.unwrap_or_default(),
            warehouse_days,
            lake_days,
            mixpanel,
        }
    }
}
