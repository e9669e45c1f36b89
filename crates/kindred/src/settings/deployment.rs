//! The files that deploy the binary, and the page about them, speak of settings that there are, and of all of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Settings;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every name that the settings are read by.
fn known() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let _ = Settings::read(|name| {
        asked.borrow_mut().insert(name.to_owned());
        // Somewhere to keep things; the default depends on who asks.
        None
    });
    // By which the default of STATE_DIR is found, unless root asks.
    let mut known = asked.into_inner();
    known.extend(["HOME", "XDG_STATE_HOME"].map(str::to_owned));
    known
}

/// `NAME: value` lines with this many blanks before them, from a line on, until one has fewer.
fn block(text: &str, begins: &str, blanks: usize) -> BTreeMap<String, String> {
    let mut lines = text.lines().skip_while(|line| *line != begins);
    assert!(lines.next().is_some(), "`{begins}` is missing");
    let depth = begins.len() - begins.trim_start().len();
    let indented = |line: &&str| line.is_empty() || line.len() - line.trim_start().len() > depth;
    let entries = lines.take_while(indented).filter_map(|line| {
        let (name, value) = line.strip_prefix(&" ".repeat(blanks))?.split_once(": ")?;
        let is_name = name.bytes().all(|letter| letter.is_ascii_uppercase() || letter == b'_');
        is_name.then(|| (name.to_owned(), substituted(value.trim_matches('"'))))
    });
    entries.collect()
}

/// `${NAME:-default}` as its default: nothing is set.
fn substituted(value: &str) -> String {
    let mut text = value.to_owned();
    while let Some(begin) = text.find("${") {
        let end = begin + text[begin..].find('}').unwrap();
        let default = text[begin + 2..end]
            .split_once(":-")
            .map(|(_, default)| default.to_owned());
        text.replace_range(begin..=end, &default.unwrap());
    }
    text
}

/// What a service of the composition is given.
fn environment(service: &str) -> BTreeMap<String, String> {
    let compose = file("docker-compose.yml");
    let mut all = block(&compose, "x-sources: &sources", 2);
    all.extend(block(&compose, &format!("  {service}:"), 6));
    // The image's own.
    assert!(file("Dockerfile").contains("\nENV STATE_DIR=/var/lib/kindred\n"));
    all.entry("STATE_DIR".to_owned())
        .or_insert_with(|| "/var/lib/kindred".to_owned());
    all
}

/// The ports of a service that are published, which must be those inside, and on this machine alone.
fn published(service: &str) -> Vec<u16> {
    let compose = file("docker-compose.yml");
    let begins = format!("  {service}:");
    let lines = compose.lines().skip_while(|line| *line != begins).skip(1);
    let mut lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let ports = lines.find_map(|line| line.trim().strip_prefix("ports: [")).unwrap();
    let port = |entry: &str| {
        let parts: Vec<_> = entry.trim().trim_matches('"').split(':').collect();
        assert!(
            parts.len() == 3 && parts[0] == "127.0.0.1" && parts[1] == parts[2],
            "{entry}"
        );
        parts[1].parse().unwrap()
    };
    ports.trim_end_matches(']').split(',').map(port).collect()
}

#[test]
fn the_composition_gives_settings_that_there_are_and_that_are_accepted() {
    let known = known();
    for service in ["playground", "analytics"] {
        let given = environment(service);
        assert!(given.len() > 8, "{given:?}");
        for name in given.keys() {
            assert!(known.contains(name), "{service}: nothing reads {name}");
        }
        let settings = Settings::read(|name| given.get(name).cloned());
        let settings = settings.unwrap_or_else(|mistakes| panic!("{service}: {mistakes:?}"));
        assert!(
            settings.storage.warehouse.is_some(),
            "the image has no PostgreSQL of its own"
        );
        assert!(
            !settings.servers.bind.is_loopback(),
            "a container's loopback is nobody else's"
        );
    }
}

#[test]
fn the_composition_publishes_the_ports_that_are_listened_on_which_are_the_defaults() {
    let nothing_set = Settings::read(|name| (name == "HOME").then(|| "/home/someone".to_owned())).unwrap();
    for settings in [
        Settings::read(|name| environment("analytics").get(name).cloned()).unwrap(),
        nothing_set,
    ] {
        assert_eq!(
            published("analytics"),
            [settings.servers.api_port, settings.servers.etl_port]
        );
        let ports = &settings.playground;
        let ports = [ports.users_port, ports.interactions_port, ports.communications_port];
        assert_eq!(published("playground"), ports);
    }
    let exposed: Vec<_> = file("Dockerfile")
        .lines()
        .filter(|line| line.starts_with("EXPOSE"))
        .map(str::to_owned)
        .collect();
    assert_eq!(exposed, ["EXPOSE 3008 3010"]);
}

#[test]
fn the_composition_has_the_specifications_names() {
    let compose = file("docker-compose.yml");
    for name in ["kindred-postgres", "kindred-analytics-service"] {
        assert!(compose.contains(&format!("container_name: {name}\n")), "{name}");
    }
    let databases = file("deploy/postgres/databases.sql");
    for (name, url) in environment("analytics")
        .iter()
        .filter(|(name, _)| name.ends_with("DATABASE_URL"))
    {
        let (_, rest) = url.split_once("@postgres:5432/").unwrap();
        let database = rest.split('?').next().unwrap();
        let is_made = databases.contains(&format!("create database {database};"));
        assert!(
            is_made || compose.contains(&format!("POSTGRES_DB: {database}\n")),
            "{name}"
        );
    }
}

#[test]
fn the_service_of_systemd_is_given_settings_that_there_are() {
    let (known, unit) = (known(), file("deploy/kindred.service"));
    let set = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let example = file("deploy/kindred.env.example");
    let examples = example
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter(|line| line.contains('='));
    let names = set.chain(examples).filter_map(|line| Some(line.split_once('=')?.0));
    let names: Vec<_> = names.filter(|name| !name.contains(' ')).collect();
    assert!(names.len() > 6, "{names:?}");
    for name in names {
        assert!(known.contains(name), "nothing reads {name}");
    }
}

#[test]
fn the_page_about_deployment_tells_of_every_setting() {
    let page = file("docs/deployment.md");
    let missing: Vec<_> = known()
        .into_iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/deployment.md says nothing about {missing:?}");
}
