//! Every page, followed to the letter: its commands are run in their order, its SQL is asked, and what it shows is held
//! against what comes.
//!
//! A page is one shell, with the words of `session.sh` before it. It may presuppose that a demo's figures are served, and a
//! folder `lake`; a server that it starts takes that one's place. Of JSON the shape is compared, of other answers the first line. What
//! cannot be run here stands in a block `sh not-run`, and below.

mod shown;
mod story;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use kindred_testkit::Page;
use tokio::time::timeout;

use self::story::Story;
use crate::support::{Kindred, embedded_server, home, python, repository};

/// Blocks that are not run: the page, their first line, and why.
const NOT_RUN: &[(&str, &str, &str)] = &[
    (
        "data/README.md",
        "LAKE_URL=data/lake make demo",
        "computes everything once more, into another lake",
    ),
    (
        "docs/deployment.md",
        "docker-compose up -d",
        "needs a Docker daemon, and builds everything anew",
    ),
    (
        "docs/deployment.md",
        "docker build --build-arg KINDRED_COMMIT=\"$(git rev-parse --short=12 HEAD)\" --tag kindred-analytics .",
        "needs a Docker daemon, and builds everything anew",
    ),
    (
        "docs/deployment.md",
        "install -m 755 kindred /usr/local/bin/kindred",
        "changes the machine, and needs systemd",
    ),
];

/// Sources that stand still are soon read.
const DEMO: &str = "--users 150 --days 20 --still";

/// What every page may presuppose: a demo, another warehouse, and something wrong for a check to find.
const BEFORE: &str = "
kindred demo $DEMO
kindred psql analytics -qc 'create database elsewhere'
kindred psql users -qc \"
  insert into user_sessions (id, user_id, platform, started_at, last_seen_at, ended_at)
  select gen_random_uuid(), id, 'web', date_trunc('day', now()) - interval '1 hour',
         date_trunc('day', now()) - interval '1 hour', date_trunc('day', now()) - interval '2 hours'
  from users where not is_internal limit 1\"
kindred run daily
";

/// What else a page presupposes: of alerts, that one is open. A later run may have seen its check pass.
const BEFORE_PAGES: &[(&str, &str)] = &[("docs/alerts.md", "kindred run daily >found.log 2>&1\n")];

/// Longer than any page takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// The ports of the pages' addresses, and the settings that move them.
const PORTS: [(&str, &str); 5] = [
    (":3008", "API_PORT"),
    (":3010", "ETL_PORT"),
    (":3001", "USER_SERVICE_PORT"),
    (":3002", "INTERACTION_SERVICE_PORT"),
    (":3003", "COMMUNICATION_SERVICE_PORT"),
];

#[tokio::test]
async fn the_commands_of_every_page_run_and_what_it_shows_is_what_comes() {
    let pages = pages();
    let stories: BTreeMap<_, _> = pages.iter().map(|(name, page)| (name, Story::of(page))).collect();
    let mut wrong = undeclared(&stories);
    let home = home();
    let server = embedded_server(home.path()).await;
    let ports = quiet_ports();
    let replaced = |text: &str| {
        let text = text.replace("postgresql://kindred:secret@db/analytics", &server.url("elsewhere"));
        let text = text.replace(
            "postgresql://reader:secret@db/",
            &server.url("").replace("?sslmode=disable", ""),
        );
        let ported = PORTS.iter().zip(&ports);
        ported.fold(text, |text, ((said, _), port)| text.replace(said, &format!(":{port}")))
    };
    let duckdb = match stories.values().any(Story::asks_duckdb) {
        true => Some(python("data").await),
        false => None,
    };
    let reader = Reader::new(home.path(), &ports, duckdb);
    reader.follow("before", BEFORE).await.expect("a demo");
    for (name, story) in &stories {
        wrong.extend(story.mistakes.iter().map(|mistake| format!("{name}, {mistake}")));
        let folder = reader.folder(name);
        let served = if story.asks() { "kindred serve\n" } else { "" };
        let presupposed = BEFORE_PAGES.iter().find(|(page, _)| page == name);
        let before = presupposed.map_or("", |(_, before)| *before);
        let script = [before, served, &story.script(&folder, &replaced)].concat();
        if let Err(said) = reader.follow(name, &script).await {
            let line = story.reached(&folder).map_or(0, |block| block.line);
            let answered = story.answered(&folder);
            wrong.push(format!("{name}, line {line}: {said}\n{answered}"));
            continue;
        }
        let untrue = story.untrue(&folder, &replaced);
        wrong.extend(untrue.into_iter().map(|what| format!("{name}, {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every page, by its path.
fn pages() -> BTreeMap<String, Page> {
    let mut pages = BTreeMap::new();
    for folder in ["", "data", "docs"] {
        for entry in fs::read_dir(repository(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = Path::new(folder).join(entry.file_name());
                pages.insert(
                    name.to_str().unwrap().to_owned(),
                    Page::parse(&fs::read_to_string(&path).unwrap()),
                );
            }
        }
    }
    pages
}

/// Blocks that are not run and not declared, and declarations of blocks that are gone.
fn undeclared(stories: &BTreeMap<&String, Story<'_>>) -> Vec<String> {
    let found = stories.iter().flat_map(|(name, story)| {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let blocks = story.not_run.iter();
        blocks.map(move |block| ((*name).clone(), first(&block.text)))
    });
    let found: Vec<_> = found.collect();
    let declared = |block: &(String, String)| {
        NOT_RUN
            .iter()
            .any(|(page, line, _)| *page == block.0 && *line == block.1)
    };
    let undeclared = found.iter().filter(|block| !declared(block));
    let gone = NOT_RUN
        .iter()
        .filter(|(page, line, _)| !found.iter().any(|block| *page == block.0 && *line == block.1));
    undeclared
        .map(|block| format!("{block:?} is not run, and NOT_RUN does not say why"))
        .chain(gone.map(|gone| format!("{gone:?} is in NOT_RUN, and in no page")))
        .collect()
}

/// Ports that nobody is given who leaves the choice to the system, since servers of the pages come and go on them.
fn quiet_ports() -> [u16; 5] {
    let first = 20_000 + u16::try_from(std::process::id() % 1_000).unwrap() * 10;
    let free = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let free: Vec<_> = free.take(5).collect();
    free.try_into().expect("five ports")
}

/// Who follows the pages: a shell with the binary, in a folder for each page.
struct Reader {
    kindred: Kindred,
    home: PathBuf,
}

impl Reader {
    fn new(home: &Path, ports: &[u16; 5], python: Option<PathBuf>) -> Self {
        let programs = home.join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_kindred"), programs.join("kindred")).unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
        let kindred = Kindred::new(home)
            .with("PATH", path)
            .with("PAGES", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/docs"))
            .with("REPOSITORY", repository("").to_str().unwrap())
            .with("DEMO", DEMO)
            .run_by(&["bash", "-euo", "pipefail"]);
        let ported = PORTS.iter().zip(ports);
        let kindred = ported.fold(kindred, |kindred, ((_, setting), port)| {
            kindred.with(setting, port.to_string())
        });
        Self {
            kindred: match python {
                Some(python) => kindred.with("PYTHON", python.to_str().unwrap()),
                None => kindred,
            },
            home: home.to_owned(),
        }
    }

    /// The folder in which a page is followed, with what it may name.
    fn folder(&self, page: &str) -> PathBuf {
        let folder = self.home.join(page.replace('/', "-"));
        if !folder.exists() {
            fs::create_dir_all(folder.join("data")).unwrap();
            for name in ["deploy", "docs", "migrations", "queries", "scripts"] {
                symlink(repository(name), folder.join(name)).unwrap();
            }
            symlink(self.home.join("state/lake"), folder.join("lake")).unwrap();
        }
        folder
    }

    /// Runs a script in a page's folder to its end; else what it said.
    async fn follow(&self, page: &str, script: &str) -> Result<(), String> {
        let folder = self.folder(page);
        fs::write(folder.join("page.sh"), format!(". \"$PAGES/session.sh\"\n{script}")).unwrap();
        let mut command = self.kindred.command(&["page.sh"]);
        let child = command.current_dir(&folder).process_group(0).spawn().unwrap();
        let group = child.id();
        let Ok(ended) = timeout(PATIENCE, child.wait_with_output()).await else {
            // With the servers that it has started.
            let group = format!("-{}", group.expect("it runs"));
            let _ = Command::new("kill").args(["-s", "TERM", "--", &group]).status();
            return Err(format!("it did not end within {PATIENCE:?}"));
        };
        let Output { status, stdout, stderr } = ended.unwrap();
        let said = [stdout, stderr].concat();
        status
            .success()
            .then_some(())
            .ok_or_else(|| String::from_utf8_lossy(&said).into_owned())
    }
}
