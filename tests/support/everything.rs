//! All that a platform keeps, as text: every cell of every file of the lake, and every row of every table of the warehouse.
//! Read by other means than the product's own, so that what it overlooks is found.

use std::fs::File;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sqlx::AssertSqlSafe;

use super::World;
use super::soundness::files_below;

/// What lies in one place.
pub(crate) struct Place {
    /// The file, or the table.
    pub(crate) name: String,
    /// Its cells, a line each; or its rows.
    pub(crate) text: String,
}

impl World {
    /// Everything that is kept.
    pub(crate) async fn everything(&self) -> Vec<Place> {
        let mut places = self.lake_as_text();
        places.extend(self.warehouse_as_text().await);
        places
    }

    /// The places in which one of the words stands, each with it.
    pub(crate) async fn places_of(&self, words: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        for Place { name, text } in self.everything().await {
            let held = words.iter().filter(|word| text.contains(*word));
            found.extend(held.map(|word| format!("{word} in {name}")));
        }
        found
    }

    fn lake_as_text(&self) -> Vec<Place> {
        let files = files_below(&self.lake()).into_iter();
        let place = |path: std::path::PathBuf| {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
            let mut text = String::new();
            for batch in reader.build().unwrap() {
                for column in batch.unwrap().columns() {
                    let options = FormatOptions::default();
                    let cells = ArrayFormatter::try_new(column, &options).unwrap();
                    (0..column.len()).for_each(|row| text.push_str(&format!("{}\n", cells.value(row))));
                }
            }
            let name = path.display().to_string();
            Place { name, text }
        };
        files.map(place).collect()
    }

    async fn warehouse_as_text(&self) -> Vec<Place> {
        let pool = self.warehouse.pool();
        let tables = "select oid::regclass::text from pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
        let mut places = Vec::new();
        for name in tables {
            let sql = AssertSqlSafe(format!("select kept::text from {name} kept"));
            let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
            let text = rows.join("\n");
            places.push(Place { name, text });
        }
        places
    }
}
