//! The pages of the repository hang together: no link is dead, no page is beside the road, and what they name is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use kindred_testkit::Page;
use kindred_warehouse::SUMMARY_TABLES;

use crate::house_rules::{files_below, root};

/// Pages by their path from the workspace's folder.
type Pages = BTreeMap<PathBuf, Page>;

/// Folders whose files pages name between backticks.
const FOLDERS: [&str; 10] = [
    "benches",
    "crates",
    "data",
    "deploy",
    "docs",
    "migrations",
    "queries",
    "scripts",
    "tests",
    ".ci",
];

/// What git ignores below `data/` may be anything; a virtual environment or a build has pages of others.
fn pages() -> Pages {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && name.ends_with(".md") {
            files.push(path);
        } else if FOLDERS.contains(&name.as_str()) && name != "data" {
            files_below(&path, "md", &mut files);
        }
    }
    files.push(root().join("data/README.md"));
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.strip_prefix(root()).unwrap().to_owned(), Page::parse(&text))
    };
    files.into_iter().map(read).collect()
}

/// Where a link of a page leads: a path from the workspace's folder, and a heading. None for one that leaves the house.
fn lead(page: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    let path = match path.strip_prefix('/') {
        Some(path) => PathBuf::from(path),
        None if path.is_empty() => page.to_owned(),
        None => page.parent().unwrap().join(path),
    };
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if straight.pop() => {}
            Component::CurDir => {}
            part => straight.push(part),
        }
    }
    Some((straight, anchor))
}

fn dead_links(pages: &Pages) -> Vec<String> {
    let mut dead = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            let Some((target, anchor)) = lead(path, &link.text) else {
                continue;
            };
            let reached = match (pages.get(&target), &anchor) {
                (Some(target), Some(anchor)) => target.anchors.contains(anchor),
                (None, Some(_)) => false,
                (_, None) => root().join(&target).exists(),
            };
            if !reached {
                dead.push(format!("{}:{}: {}", path.display(), link.line, link.text));
            }
        }
    }
    dead
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_that_are_there() {
    let pages = pages();
    assert!(pages.len() > 8, "the pages were not found: {:?}", pages.keys());
    assert_eq!(dead_links(&pages), Vec::<String>::new(), "these links are dead");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text =
        "# One\n[a](#one) [b](README.md) [c](https://example.com/none) [d](#two) [e](none.md) [f](README.md#none)";
    let mut pages = pages();
    pages.insert(PathBuf::from("page.md"), Page::parse(text));
    assert_eq!(
        dead_links(&pages),
        ["page.md:2: #two", "page.md:2: none.md", "page.md:2: README.md#none"]
    );
}

#[test]
fn every_page_of_the_documentation_is_reached_from_the_readme() {
    let pages = pages();
    let mut reached = BTreeSet::new();
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(path) = next.pop() {
        let Some(page) = pages.get(&path).filter(|_| reached.insert(path.clone())) else {
            continue;
        };
        next.extend(page.links.iter().filter_map(|link| Some(lead(&path, &link.text)?.0)));
    }
    let lost: Vec<_> = pages
        .keys()
        .filter(|path| path.starts_with("docs") && !reached.contains(*path))
        .collect();
    assert_eq!(lost, Vec::<&PathBuf>::new(), "no way leads from README.md to these");
}

/// Where a name is a pattern (`<fact>`, `*`) or a sentence, it is left alone. What has been is for the changelog to tell.
#[test]
fn every_file_that_a_page_names_is_there() {
    let mut missing = Vec::new();
    for (path, page) in pages() {
        if path == Path::new("CHANGELOG.md") {
            continue;
        }
        for name in &page.names {
            let word = name.text.split([' ', ':']).next().unwrap();
            let is_path = word
                .split_once('/')
                .is_some_and(|(folder, _)| FOLDERS.contains(&folder))
                && !word.contains(['<', '*', '{', '…']);
            if is_path && !root().join(word).exists() {
                missing.push(format!("{}:{}: {word}", path.display(), name.line));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "these files are named and not there");
}

#[test]
fn the_page_of_definitions_tells_of_every_figure_of_every_table() {
    let pages = pages();
    let told: BTreeSet<_> = pages[Path::new("docs/definitions.md")]
        .names
        .iter()
        .flat_map(|name| {
            name.text
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        })
        .collect();
    let figures = SUMMARY_TABLES.iter().flat_map(|table| {
        let columns = table.figures().map(|column| column.name);
        columns.chain([table.name]).map(|name| (table.name, name))
    });
    let untold: Vec<_> = figures.filter(|(_, name)| !told.contains(name)).collect();
    assert_eq!(untold, [], "docs/definitions.md says nothing about these");
}

/// Tests are named as sentences: whatever reads like one between backticks is one, but for the names of metrics.
#[test]
fn every_test_that_a_page_names_is_there() {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        files_below(&root().join(folder), "rs", &mut files);
    }
    let sources: Vec<_> = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let mut seen = 0;
    let mut missing = Vec::new();
    for (path, page) in pages() {
        for name in &page.names {
            let word = name.text.rsplit("::").next().unwrap();
            let is_name = word
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
            if !is_name || word.starts_with("kindred_") || word.matches('_').count() < 5 {
                continue;
            }
            seen += 1;
            let function = format!("fn {word}(");
            if !sources.iter().any(|source| source.contains(&function)) {
                missing.push(format!("{}:{}: {word}", path.display(), name.line));
            }
        }
    }
    assert!(seen > 10, "the names of tests were not found");
    assert_eq!(missing, Vec::<String>::new(), "these tests are named and not there");
}
