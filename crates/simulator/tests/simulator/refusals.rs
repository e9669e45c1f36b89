//! What is refused, how it is said, and that nothing is left behind.

use std::error::Error;

use kindred_model::Source;
use kindred_simulator::{Population, SimulatorError, Targets};
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{count, everything_in, population, simulate};

async fn tables(database: &TestDatabase) -> i64 {
    count(
        database,
        "select count(*) from information_schema.tables where table_schema = 'public'",
    )
    .await
}

#[tokio::test]
async fn a_second_history_is_refused_and_the_first_one_stays() {
    let database = TestDatabase::create("second").await;
    let first = simulate(&population(50, 5), &everything_in(&database)).await.unwrap();
    let error = simulate(&population(60, 5), &everything_in(&database))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the users database already has rows in `users`; give an empty database, or drop its tables first"
    );
    assert_eq!(count(&database, "select count(*) from users").await, 50);
    assert_eq!(
        count(&database, "select count(*) from swipes").await as u64,
        rows(&first, "swipes")
    );
}

#[tokio::test]
async fn rows_in_one_database_keep_all_others_as_they_were() {
    let [filled, empty] = [
        TestDatabase::create("filled").await,
        TestDatabase::create("empty").await,
    ];
    let moderation = kindred_simulator::Schema::of(Source::Moderation).tables;
    sqlx::raw_sql(moderation).execute(filled.pool()).await.unwrap();
    let action = "insert into moderation_actions values (gen_random_uuid(), gen_random_uuid(), 'warn')";
    sqlx::raw_sql(action).execute(filled.pool()).await.unwrap();

    let targets = Targets {
        moderation: Some(filled.url()),
        ..everything_in(&empty)
    };
    let error = simulate(&population(50, 5), &targets).await.unwrap_err();
    assert!(
        matches!(
            error,
            SimulatorError::Occupied {
                database: Source::Moderation,
                table: "moderation_actions"
            }
        ),
        "{error:?}"
    );
    assert_eq!(tables(&empty).await, 0);
}

#[tokio::test]
async fn a_table_that_refuses_its_rows_is_named_and_nothing_is_kept() {
    let [strange, empty] = [
        TestDatabase::create("strange").await,
        TestDatabase::create("empty").await,
    ];
    let messages = kindred_simulator::Schema::of(Source::Communications).tables;
    sqlx::raw_sql(messages).execute(strange.pool()).await.unwrap();
    let retyped = "alter table messages alter column created_at type date";
    sqlx::raw_sql(retyped).execute(strange.pool()).await.unwrap();

    let targets = Targets {
        communications: strange.url(),
        ..everything_in(&empty)
    };
    let error = simulate(&population(200, 10), &targets).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the communications database refused rows of `messages`"),
        "{error}"
    );
    assert!(error.source().is_some());
    assert_eq!(tables(&empty).await, 0);
    assert_eq!(count(&strange, "select count(*) from messages").await, 0);
}

#[tokio::test]
async fn without_a_moderation_database_the_rest_is_the_same() {
    let [with, without] = [
        TestDatabase::create("with").await,
        TestDatabase::create("without").await,
    ];
    let population = population(300, 20);
    let all = simulate(&population, &everything_in(&with)).await.unwrap();
    let targets = Targets {
        moderation: None,
        ..everything_in(&without)
    };
    let rest = simulate(&population, &targets).await.unwrap();
    assert_eq!(rest.tables, all.tables[..12]);
    assert_eq!(tables(&without).await, 12);
}

#[tokio::test]
async fn the_summary_counts_what_the_tables_hold() {
    let database = TestDatabase::create("summary").await;
    let summary = simulate(&population(300, 20), &everything_in(&database)).await.unwrap();
    for table in &summary.tables {
        let held: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {}", table.table)))
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert_eq!(table.rows, held as u64, "{}", table.table);
    }
    assert_eq!(
        summary.rows(),
        summary.tables.iter().map(|table| table.rows).sum::<u64>()
    );
    assert_eq!(rows(&summary, "users"), 300);
}

#[tokio::test]
async fn databases_that_cannot_be_used_are_named_with_their_setting() {
    let database = TestDatabase::create("unreachable").await;
    let absent = Targets {
        interactions: database.url().replace(database.name(), "there_is_none"),
        ..everything_in(&database)
    };
    let error = simulate(&population(10, 5), &absent).await.unwrap_err();
    assert!(
        error.to_string().contains("INTERACTION_SERVICE_DATABASE_URL"),
        "{error}"
    );
    assert!(error.source().unwrap().to_string().contains("there_is_none"));

    let malformed = Targets {
        users: "no address".to_owned(),
        ..everything_in(&database)
    };
    let error = simulate(&population(10, 5), &malformed).await.unwrap_err();
    assert!(error.to_string().contains("USER_SERVICE_DATABASE_URL"), "{error}");
    assert_eq!(tables(&database).await, 0);
}

#[tokio::test]
async fn a_population_out_of_bounds_is_refused_before_anything_is_touched() {
    let nowhere = Targets {
        users: String::new(),
        interactions: String::new(),
        communications: String::new(),
        moderation: None,
    };
    for (users, days) in [(0, 90), (10_000_001, 90), (100, 0), (100, 3_654)] {
        let error = simulate(
            &Population {
                ..population(users, days)
            },
            &nowhere,
        )
        .await
        .unwrap_err();
        assert!(
            error.to_string().contains("1 to 10000000 users and 1 to 3653 days"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn one_person_on_one_day_is_a_history_too() {
    let database = TestDatabase::create("smallest").await;
    let summary = simulate(&population(1, 1), &everything_in(&database)).await.unwrap();
    assert_eq!(rows(&summary, "users"), 1);
    assert_eq!(rows(&summary, "matches"), 0);
}

fn rows(summary: &kindred_simulator::Summary, table: &str) -> u64 {
    summary
        .tables
        .iter()
        .find(|written| written.table == table)
        .unwrap()
        .rows
}
