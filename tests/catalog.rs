//! The pages of `docs/data/` and the words of the catalog, held against what is really there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kindred_jobs::catalog::{TableKind, catalog, contents};
use kindred_testkit::TestDatabase;
use kindred_warehouse::{ConnectOptions, Warehouse};

/// Set, the pages are written anew.
const UPDATE: &str = "UPDATE_DOCS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data")
}

/// The pages by file name.
fn pages() -> BTreeMap<String, String> {
    let tables = catalog();
    let pages = tables.iter().map(|table| (format!("{}.md", table.name), table.page()));
    pages.chain([("README.md".to_owned(), contents())]).collect()
}

#[test]
fn the_pages_of_the_tables_are_what_the_schemas_say() {
    if env::var_os(UPDATE).is_some() {
        fs::create_dir_all(folder()).unwrap();
        for (file, page) in pages() {
            fs::write(folder().join(file), page).unwrap();
        }
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        found.insert(file, fs::read_to_string(path).unwrap());
    }
    for (file, page) in pages() {
        let is_same = found.remove(&file).as_ref() == Some(&page);
        assert!(
            is_same,
            "docs/data/{file} is not what the schemas say: run this test with {UPDATE}=1"
        );
    }
    assert!(found.is_empty(), "docs/data has pages of no table: {:?}", found.keys());
}

#[tokio::test]
async fn the_words_say_of_each_figure_whether_the_warehouse_allows_null() {
    let database = TestDatabase::create("catalog").await;
    let warehouse = Warehouse::connect(&database.url().into(), &ConnectOptions::default())
        .await
        .unwrap();
    warehouse.migrate().await.unwrap();
    let mut seen = 0;
    for table in catalog().iter().filter(|table| table.kind == TableKind::Figure) {
        for column in &table.columns {
            let nullable: String = sqlx::query_scalar(
                "select is_nullable from information_schema.columns
                 where table_schema = 'public' and table_name = $1 and column_name = $2",
            )
            .bind(table.name)
            .bind(&column.name)
            .fetch_one(database.pool())
            .await
            .unwrap();
            assert_eq!(
                column.about.contains("null"),
                nullable == "YES",
                "{}.{}",
                table.name,
                column.name
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} columns were looked at");
}
