use kindred_warehouse::{ErrorKind, SUMMARY_TABLES};

use crate::support::Database;

#[tokio::test]
async fn migrating_twice_and_at_once_is_the_same_as_once() {
    let database = Database::empty().await;
    assert!(!database.warehouse.is_migrated().await.unwrap());
    let (first, second) = tokio::join!(database.warehouse.migrate(), database.warehouse.migrate());
    first.unwrap();
    second.unwrap();
    database.warehouse.migrate().await.unwrap();
    assert!(database.warehouse.is_migrated().await.unwrap());
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_left_alone() {
    let database = Database::migrated().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, '', 0)",
    )
    .execute(database.warehouse.pool())
    .await
    .unwrap();
    let error = database.warehouse.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn reading_before_migrating_is_a_matter_of_the_schema() {
    let database = Database::empty().await;
    assert_eq!(
        database.warehouse.watermarks().await.unwrap_err().kind(),
        ErrorKind::Schema
    );
}

#[tokio::test]
async fn the_list_of_tables_is_what_the_migrations_create() {
    let database = Database::migrated().await;
    for table in SUMMARY_TABLES {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select attname::text, format_type(atttypid, atttypmod) from pg_attribute
             where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(table.name)
        .fetch_all(database.warehouse.pool())
        .await
        .unwrap();
        let listed: Vec<_> = table
            .columns
            .iter()
            .map(|column| (column.name.to_owned(), column.column_type.sql().to_owned()))
            .collect();
        assert_eq!(columns, listed, "{}", table.name);

        let key: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_index join pg_attribute on attrelid = indrelid
             where indrelid = $1::regclass and indisprimary and attnum = any (indkey)
             order by array_position(indkey::int2[], attnum)",
        )
        .bind(table.name)
        .fetch_all(database.warehouse.pool())
        .await
        .unwrap();
        assert_eq!(key, table.key, "{}", table.name);
        assert!(table.column(table.day_column).is_some(), "{}", table.name);
    }
}
