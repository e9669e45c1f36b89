//! A table's page of the docs, and the list of all of them.

use std::fmt::Write as _;

use super::{Table, TableKind, catalog};

impl TableKind {
    /// What tables of this kind are called together.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Fact => "Facts",
            Self::Figure => "Figures",
            Self::State => "States",
        }
    }
}

impl Table {
    /// How the path of its files begins below the lake's root, with `*` for what differs.
    #[must_use]
    pub fn files(&self) -> String {
        let hour = if self.by_hour { "hour=*/" } else { "" };
        format!("{}/date=*/{hour}part-0.parquet", self.folder)
    }

    /// The page of the docs, in Markdown.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = format!("# {}\n\n{} One row is {}.\n\n", self.name, self.about, self.grain);
        let day = self.partition_column.map_or_else(
            || "`date` is the UTC day that the rows are of".to_owned(),
            |column| match column {
                "date" => "`date` is in the path alone, a partition key like in Hive".to_owned(),
                column => format!("`date` is the UTC day of `{column}`"),
            },
        );
        let hour = if self.by_hour { ", `hour` its UTC hour" } else { "" };
        let sorted: Vec<String> = self.sorted_by.iter().map(|column| format!("`{column}`")).collect();
        // Writing into a String does not fail.
        let _ = writeln!(
            page,
            "Files: `{}`; {day}{hour}. Row groups are sorted by {}.\n",
            self.files(),
            sorted.join(", ")
        );
        if self.kind == TableKind::Figure {
            let _ = writeln!(
                page,
                "The warehouse's table of this name has the same rows, counted as [the definitions](../definitions.md) say.\n"
            );
        }
        page.push_str("| column | type | what |\n|---|---|---|\n");
        for column in &self.columns {
            let _ = writeln!(page, "| `{}` | {} | {} |", column.name, column.data_type, column.about);
        }
        page
    }
}

/// The list of the tables, in Markdown, each with a link to its page beside it.
#[must_use]
pub fn contents() -> String {
    let mut contents = String::from(
        "# Tables of the lake\n\nGenerated from the schemas that the files are written with, as `kindred describe` prints them. \
         How to read them: [data.md](../data.md).\n",
    );
    let tables = catalog();
    for kind in [TableKind::Fact, TableKind::Figure, TableKind::State] {
        let _ = write!(
            contents,
            "\n## {}\n\n| table | what | a row is |\n|---|---|---|\n",
            kind.heading()
        );
        for table in tables.iter().filter(|table| table.kind == kind) {
            let Table { name, about, grain, .. } = table;
            let _ = writeln!(contents, "| [{name}]({name}.md) | {about} | {grain} |");
        }
    }
    contents
}
