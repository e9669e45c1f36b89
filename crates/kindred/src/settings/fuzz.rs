//! Environments that nobody would write on purpose: whatever a setting holds, nothing panics, what is wrong with one
//! setting is told whatever is wrong with the others, and no secret is quoted.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Stands in every value that may be a secret.
const CANARY: &str = "canary";

/// Settings whose values, or parts of them, are nobody's business.
const SECRET: [&str; 14] = [
    "DATABASE_URL",
    "USER_SERVICE_DATABASE_URL",
    "INTERACTION_SERVICE_DATABASE_URL",
    "COMMUNICATION_SERVICE_DATABASE_URL",
    "MODERATION_SERVICE_DATABASE_URL",
    "EVENTS_URL",
    "USER_KEY_SECRET",
    "API_TOKENS",
    "FRONTEND_URL",
    "ALERT_WEBHOOK_URL",
    "MIXPANEL_SECRET",
    "MIXPANEL_BASE_URL",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
];

/// What they may look like; each holds the canary.
const SECRETS: [&str; 16] = [
    "canary",
    "canary-of-sixteen-bytes",
    "postgresql://u:canary@db/analytics",
    "postgresql://u:canary@db:port/analytics",
    "postgresql://u:canary@db/a?sslmode=canary&password=canary",
    "postgres://u:can%61ry-canary@[::1/canary",
    "mysql://u:canary@db/a",
    "canary://u@db",
    "https://hooks.example.com/canary?token=canary",
    "https://u:canary@hooks.example.com",
    "mixpanel://canary",
    "mixpanel://1/canary",
    "s3://canary:canary@events/x",
    "file://canary/x",
    "ann:viewer:canary,canary:admin:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "canary:canary:canary",
];

const OPEN: [&str; 23] = [
    "STATE_DIR",
    "LAKE_URL",
    "QUERIES_DIR",
    "HISTORY_SINCE",
    "EVENT_PROPERTIES",
    "EVENTS_WAREHOUSE_DAYS",
    "FUNNEL_WINDOW_DAYS",
    "FUNNELS_FILE",
    "BIND_ADDRESS",
    "ALLOW_ANONYMOUS",
    "API_PORT",
    "ETL_PORT",
    "CACHE_TTL",
    "CACHE_CHECK_PERIOD",
    "MEMORY_LIMIT",
    "REPORTING_CURRENCY",
    "DAILY_SCHEDULE",
    "HOURLY_SCHEDULE",
    "WEEKLY_SCHEDULE",
    "SESSIONS_SCHEDULE",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "AWS_ENDPOINT",
];

const VALUES: [&str; 36] = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "3008",
    "65535",
    "65536",
    "18446744073709551615",
    "99999999999999999999G",
    "8G",
    "64M",
    "1K",
    "é",
    "\0",
    "\u{202e}",
    "true",
    "TRUE",
    "perhaps",
    "0.0.0.0",
    "::",
    "localhost",
    "USD",
    "usd",
    "2026-02-30",
    "2026-01-31",
    "+262142-12-31",
    "-262143-01-01",
    "0 1 * * *",
    "* * * * * *",
    "/no/such/folder",
    "s3://",
    "s3://bucket/x",
    "file:///tmp/x",
    "json",
    "'; drop table x; --",
];

type Environment = BTreeMap<&'static str, String>;

fn environment() -> impl Strategy<Value = Environment> {
    let secret = (select(SECRET.to_vec()), select(SECRETS.to_vec()), "\\PC{0,8}", 0..4_u8);
    let secret = secret.prop_map(|(name, value, junk, how)| match how {
        0 => (name, format!("{value}{junk}")),
        1 => (name, format!("{junk}{value}")),
        _ => (name, value.to_owned()),
    });
    let open = (
        select(OPEN.to_vec()),
        prop_oneof![4 => select(VALUES.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,12}"],
    );
    let settings = prop::collection::vec(prop_oneof![secret, open], 0..12);
    settings.prop_map(|settings| {
        let mut environment: Environment = settings.into_iter().collect();
        environment.insert("HOME", "/home/someone".to_owned());
        environment
    })
}

fn read(environment: &Environment) -> Result<Settings, Vec<Mistake>> {
    Settings::read(|name| environment.get(name).cloned())
}

proptest! {
    #[test]
    fn whatever_is_wrong_is_told_and_no_secret_is(environment in environment()) {
        let told = match read(&environment) {
            Ok(settings) => format!("{settings:?}"),
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                format!("{mistakes:?} {}", mistakes.iter().map(ToString::to_string).collect::<String>())
            }
        };
        prop_assert!(!told.to_lowercase().contains(CANARY), "{}", told);
    }

    #[test]
    fn what_is_wrong_with_one_setting_is_told_whatever_the_others_hold(environment in environment()) {
        let told = read(&environment).err().unwrap_or_default();
        for (name, value) in &environment {
            let alone = Environment::from([("HOME", "/home/someone".to_owned()), (*name, value.clone())]);
            let wrong = read(&alone).err().unwrap_or_default();
            for mistake in wrong.iter().filter(|mistake| mistake.setting == *name) {
                // Two settings may be right together that are not alone: tokens open an address to others.
                if !["BIND_ADDRESS", "EVENTS_URL", "LAKE_URL"].contains(name) {
                    prop_assert!(told.contains(mistake), "{} is not among {:?}", mistake, told);
                }
            }
        }
    }

    #[test]
    fn a_file_of_funnels_is_read_or_refused_with_every_mistake(
        lines in prop::collection::vec(select(vec![
            "[[funnel]]", "[[funnel.step]]", "name = \"a\"", "name = 'onboarding'", "name = \"'; drop table x\"",
            "window_days = 7", "window_days = -1", "entry = \"any\"", "order = \"strict\"", "event = \"x\\u0000\"",
            "event = ''", "fact = \"like\"", "any_of = [{ event = \"a\" }, { fact = 'like' }]", "any_of = []", "x = 1",
            "funnel = 3", "[", "\u{feff}",
        ]), 0..14)
    ) {
        match kindred_jobs::funnels::parse(&lines.join("\n")) {
            Ok(funnels) => prop_assert!(funnels.iter().all(|funnel| funnel.steps.len() >= 2)),
            Err(mistakes) => prop_assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.is_empty())),
        }
    }
}
