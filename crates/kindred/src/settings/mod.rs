//! Settings, from the environment alone. All mistakes are reported at once.

mod access;
#[cfg(test)]
mod deployment;
mod events;
mod funnels;
#[cfg(test)]
mod fuzz;
mod limits;
mod logging;
mod playground;
mod reader;
mod schedules;
mod servers;
mod sources;
mod storage;

pub(crate) use access::Access;
pub(crate) use events::Events;
pub(crate) use funnels::Funnels;
pub(crate) use limits::Limits;
pub(crate) use logging::{LogFormat, Logging};
pub(crate) use playground::Playground;
pub(crate) use reader::Mistake;
pub(crate) use schedules::Schedules;
pub(crate) use servers::Servers;
pub(crate) use sources::Sources;
pub(crate) use storage::Storage;

use reader::Reader;

/// Everything that an operator may set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) storage: Storage,
    pub(crate) sources: Sources,
    pub(crate) events: Events,
    pub(crate) funnels: Funnels,
    pub(crate) servers: Servers,
    pub(crate) playground: Playground,
    pub(crate) limits: Limits,
    pub(crate) schedules: Schedules,
    pub(crate) logging: Logging,
}

impl Settings {
    /// The settings of the process: its environment, completed by a file `.env` in the working folder.
    pub(crate) fn from_environment() -> Result<Self, Vec<Mistake>> {
        // What is set in the environment wins. A missing file is no mistake; an unreadable one is.
        let mut mistakes = Vec::new();
        if let Err(error) = dotenvy::dotenv()
            && !error.not_found()
        {
            mistakes.push(Mistake {
                setting: ".env",
                problem: unreadable(&error),
            });
        }
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let read = Self::read(|name| std::env::var(name).ok());
        match read {
            Ok(settings) if mistakes.is_empty() => Ok(settings),
            Ok(_) => Err(mistakes),
            Err(more) => Err(mistakes.into_iter().chain(more).collect()),
        }
    }

    /// The settings that `variable` tells.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Mistake>> {
        let mut reader = Reader::new(&variable);
        let storage = Storage::read(&mut reader);
        let settings = Self {
            sources: Sources::read(&mut reader),
            events: Events::read(&mut reader, &storage.store_options),
            storage,
            funnels: Funnels::read(&mut reader),
            servers: Servers::read(&mut reader),
            playground: Playground::read(&mut reader),
            limits: Limits::read(&mut reader),
            schedules: schedules::read(&mut reader),
            logging: Logging::read(&mut reader),
        };
        reader.finish(settings)
    }
}

/// What is wrong with `.env`, without quoting it: it may hold a password.
fn unreadable(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(..) => {
            "a line cannot be read: write NAME=value, and put a value with spaces, # or $ in single quotes".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<Mistake>> {
        let variables: HashMap<_, _> = pairs.iter().copied().collect();
        Settings::read(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn nothing_set_is_the_embedded_default_on_loopback() {
        let settings = read(&[("HOME", "/home/someone")]).unwrap();
        assert!(settings.storage.warehouse.is_none());
        assert_eq!((settings.servers.api_port, settings.servers.etl_port), (3008, 3010));
        assert!(settings.servers.bind.is_loopback());
        let ports = &settings.playground;
        assert_eq!(
            [ports.users_port, ports.interactions_port, ports.communications_port],
            [3001, 3002, 3003]
        );
        assert_eq!(settings.limits.currency, "USD");
        let schedules: Vec<_> = settings.schedules.values().map(ToString::to_string).collect();
        assert_eq!(schedules, ["0 1 * * *", "5 * * * *", "0 2 * * 1", "*/15 * * * *"]);
    }

    #[test]
    fn every_mistake_is_reported_and_no_value_that_may_be_a_secret() {
        let mistakes = read(&[
            ("HOME", "/home/someone"),
            ("API_PORT", "http"),
            ("ETL_PORT", "70000"),
            ("LOG_LEVEL", "loud"),
            ("DATABASE_URL", "mysql://root:hunter2@db/analytics"),
            ("REPORTING_CURRENCY", "dollars"),
            ("HISTORY_SINCE", "yesterday"),
            ("DAILY_SCHEDULE", "0 25 * * *"),
            ("HOURLY_SCHEDULE", "@hourly"),
            ("WEEKLY_SCHEDULE", "0 0 2 * * 1"),
            ("SESSIONS_SCHEDULE", "0 0 30 2 *"),
            ("USER_KEY_SECRET", "short"),
            ("ALERT_WEBHOOK_URL", "hooks.example/hunter2"),
        ])
        .unwrap_err();
        let text: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        let settings: Vec<_> = mistakes.iter().map(|mistake| mistake.setting).collect();
        for expected in [
            "API_PORT",
            "ETL_PORT",
            "LOG_LEVEL",
            "DATABASE_URL",
            "REPORTING_CURRENCY",
            "HISTORY_SINCE",
            "DAILY_SCHEDULE",
            "HOURLY_SCHEDULE",
            "WEEKLY_SCHEDULE",
            "SESSIONS_SCHEDULE",
            "USER_KEY_SECRET",
            "ALERT_WEBHOOK_URL",
        ] {
            assert!(settings.contains(&expected), "{expected} is not among {text:?}");
        }
        let about_seconds = text.iter().find(|line| line.starts_with("WEEKLY_SCHEDULE"));
        let about_seconds =
            about_seconds.is_some_and(|line| line.contains("`0 0 2 * * 1` has 6 fields; write minute, hour"));
        assert!(about_seconds, "{text:?}");
        assert!(!text.join(" ").contains("hunter2") && !text.join(" ").contains("short`"));
    }

    #[test]
    fn the_usual_settings_of_object_stores_reach_them() {
        let set = [
            ("HOME", "/home/someone"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/kindred"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
            ("AZURE_TENANT_ID", "tenant"),
        ];
        let options = read(&set).unwrap().storage.store_options;
        for (setting, value) in &set[1..] {
            let option = (setting.to_lowercase(), (*value).to_owned());
            assert!(options.contains(&option), "{setting} is not among {options:?}");
        }
    }

    #[test]
    fn an_address_that_others_reach_is_refused_unless_it_is_asked_for() {
        let open = [("HOME", "/home/someone"), ("BIND_ADDRESS", "0.0.0.0")];
        assert_eq!(read(&open).unwrap_err()[0].setting, "BIND_ADDRESS");
        assert!(read(&[open[0], open[1], ("ALLOW_ANONYMOUS", "true")]).is_ok());
    }

    #[test]
    fn the_playgrounds_services_have_ports_of_their_own() {
        let home = ("HOME", "/home/someone");
        let mistakes = read(&[home, ("COMMUNICATION_SERVICE_PORT", "3001")]).unwrap_err();
        let told = "COMMUNICATION_SERVICE_PORT: is 3001, and USER_SERVICE_PORT too: they must differ";
        assert_eq!(mistakes[0].to_string(), told);
        let left_to_the_system = ["USER_SERVICE_PORT", "INTERACTION_SERVICE_PORT"].map(|setting| (setting, "0"));
        assert!(read(&[home, left_to_the_system[0], left_to_the_system[1]]).is_ok());
    }

    #[test]
    fn answers_are_kept_for_as_long_as_is_said() {
        let kept = |pairs: &[(&str, &str)]| {
            let settings = read(&[&[("HOME", "/home/someone")], pairs].concat())?;
            let servers = settings.servers;
            Ok::<_, Vec<Mistake>>((servers.cache_ttl.as_secs(), servers.cache_check_period.as_secs()))
        };
        assert_eq!(kept(&[]), Ok((300, 60)));
        assert_eq!(kept(&[("CACHE_TTL", "0"), ("CACHE_CHECK_PERIOD", "1")]), Ok((0, 1)));
        for (setting, value) in [
            ("CACHE_TTL", "5m"),
            ("CACHE_TTL", "86401"),
            ("CACHE_CHECK_PERIOD", "0"),
            ("CACHE_CHECK_PERIOD", "-1"),
        ] {
            assert_eq!(kept(&[(setting, value)]).unwrap_err()[0].setting, setting);
        }
    }

    #[test]
    fn an_external_warehouse_needs_a_secret_and_its_sources() {
        let mistakes = read(&[
            ("HOME", "/home/someone"),
            ("DATABASE_URL", "postgresql://me@db/analytics"),
        ])
        .unwrap_err();
        let settings: Vec<_> = mistakes.iter().map(|mistake| mistake.setting).collect();
        assert!(settings.contains(&"USER_KEY_SECRET"), "{settings:?}");
    }
}
