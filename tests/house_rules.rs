//! Rules that keep the house in order.

use std::path::{Path, PathBuf};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files with this extension, in all folders below.
pub(crate) fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        files_below(&root().join(folder), "rs", &mut files);
    }
    assert!(files.len() > 50, "the sources were not found");
    let lines = |file: &PathBuf| std::fs::read_to_string(file).unwrap().lines().count();
    let long: Vec<_> = files.iter().filter(|file| lines(file) > 400).collect();
    assert!(long.is_empty(), "split these: {long:?}");
}

#[test]
fn every_query_file_is_in_the_library() {
    let library = kindred_engine::QueryLibrary::embedded().unwrap();
    let queries = root().join("queries");
    let mut files = Vec::new();
    files_below(&queries, "sql", &mut files);
    for file in files {
        let name = file.strip_prefix(&queries).unwrap().with_extension("");
        let name = name.to_str().unwrap();
        assert!(
            name.starts_with("extract/") || library.get(name).is_ok(),
            "queries/{name}.sql is used by nothing"
        );
    }
}

/// Which crate may know which: data goes one way.
#[test]
fn crates_depend_only_along_the_allowed_edges() {
    let allowed: &[(&str, &[&str])] = &[
        ("model", &[]),
        ("extract", &["model"]),
        ("lake", &["model"]),
        ("engine", &["lake", "model"]),
        ("warehouse", &["model"]),
        ("embedded_pg", &[]),
        ("jobs", &["engine", "extract", "lake", "model", "warehouse"]),
        ("api", &["model", "warehouse"]),
        ("simulator", &["model"]),
        ("playground", &["model", "simulator"]),
        ("ticker", &["model", "warehouse"]),
        ("testkit", &["embedded-pg", "model"]),
    ];
    for (name, edges) in allowed {
        let manifest = std::fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let runtime = manifest.split("[dev-dependencies]").next().unwrap();
        let used = runtime
            .lines()
            .filter_map(|line| line.strip_prefix("kindred-")?.split(['.', ' ']).next());
        for edge in used {
            assert!(edges.contains(&edge), "crates/{name} must not depend on kindred-{edge}");
        }
    }
}

#[test]
fn private_columns_are_named_by_no_extraction() {
    let mut files = Vec::new();
    files_below(&root().join("queries/extract"), "sql", &mut files);
    assert!(!files.is_empty(), "the extraction queries were not found");
    let private = [
        "email",
        "username",
        "password_hash",
        "date_of_birth",
        "display_name",
        "bio",
        "interests",
        "city",
        "content",
    ];
    for file in files {
        let sql = std::fs::read_to_string(&file).unwrap();
        let code: String = sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .collect::<Vec<_>>()
            .join(" ");
        for word in code.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
            assert!(
                !private.contains(&word),
                "{} selects the private column {word}",
                file.display()
            );
        }
    }
}
