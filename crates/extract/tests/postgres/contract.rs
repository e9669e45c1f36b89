//! A source that does not keep the contract.

use kindred_extract::{ErrorKind, ExtractError, PostgresSource};
use kindred_model::{Fact, Source};

use crate::platform::{Platform, config, facts, fill, open, query_of};

async fn mistakes(extractor: &PostgresSource, facts: &[Fact]) -> Vec<String> {
    let mistakes = extractor.check(facts).await.expect_err("there are mistakes");
    assert!(
        mistakes.iter().all(|mistake| mistake.kind() == ErrorKind::Contract),
        "{mistakes:?}"
    );
    mistakes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_canonical_schema_keeps_the_contract() {
    for &source in Source::DATABASES {
        let platform = Platform::empty(source).await;
        platform
            .extractor()
            .check(&facts(source))
            .await
            .unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    }
}

#[tokio::test]
async fn all_mistakes_of_a_source_are_told_at_once_with_fact_column_types_and_file() {
    let platform = Platform::empty(Source::Users).await;
    platform
        .execute(
            "alter table users drop column country;
             alter table user_sessions alter started_at type timestamp, alter id type text;
             alter table subscriptions alter price type numeric(12,4);
             drop table payments",
        )
        .await;
    let facts = facts(Source::Users);
    let found = mistakes(&platform.extractor(), &facts).await;
    let expected = [
        r#"users: the users database cannot run queries/extract/users/users.sql: column "country" does not exist"#,
        "user_sessions: queries/extract/users/user_sessions.sql returns session_id as text; expected uuid",
        "user_sessions: queries/extract/users/user_sessions.sql returns started_at as timestamp; expected timestamptz",
        "subscriptions: queries/extract/users/subscriptions.sql returns price as numeric(12,4); expected numeric(12,2)",
        r#"payments: the users database cannot run queries/extract/users/payments.sql: relation "payments" does not exist"#,
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    let error = platform.extractor().open(&facts).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    for expected in expected {
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_query_that_leaves_a_column_out_or_lets_one_more_in_is_told() {
    let platform = Platform::empty(Source::Communications).await;
    let extractor = platform.extractor_of(
        Fact::Messages,
        "select id as message_id, sender_id as sender, recipient_id as recipient, created_at, content
         from messages where created_at >= $from and created_at < $to",
    );
    let found = mistakes(&extractor, &[Fact::Messages]).await;
    assert_eq!(
        found,
        [
            "messages: queries/extract/communications/messages.sql returns no column kind; expected text",
            "messages: queries/extract/communications/messages.sql returns a column content (text) that the contract \
             does not know; take it out of the query",
        ]
    );
}

#[tokio::test]
async fn an_extra_column_is_a_mistake_for_the_check_and_left_unread_by_a_run() {
    let platform = Platform::empty(Source::Communications).await;
    let extractor = platform.extractor_with(|config| {
        let rows = &mut query_of(config, Fact::Messages).rows;
        *rows = rows.replace("kind,", "kind, conversation_id,");
    });
    let found = mistakes(&extractor, &[Fact::Messages]).await;
    assert!(found[0].contains("a column conversation_id (uuid)"), "{found:?}");
    open(&extractor, Fact::Messages).await;
}

#[tokio::test]
async fn a_role_that_may_not_read_is_found_before_anything_is_read() {
    let platform = Platform::empty(Source::Users).await;
    let role = format!("stranger_{}", platform.database.name());
    platform
        .execute(&format!("create role {role} login; grant select on users to {role}"))
        .await;
    let url = platform.database.url().replacen("//kindred@", &format!("//{role}@"), 1);
    let extractor = PostgresSource::new(config(Source::Users, &url)).unwrap();
    let found = extractor.check(&[Fact::Users, Fact::Payments]).await.unwrap_err();
    platform
        .execute(&format!("drop owned by {role}; drop role {role}"))
        .await;
    assert!(
        matches!(&found[..], [only @ ExtractError::Forbidden { fact: Fact::Payments, .. }] if only.kind() == ErrorKind::Credentials),
        "{found:?}"
    );
    assert!(
        found[0].to_string().contains("permission denied for table payments"),
        "{}",
        found[0]
    );
}

#[tokio::test]
async fn a_query_for_what_changed_returns_dates_and_nothing_else() {
    let platform = Platform::empty(Source::Moderation).await;
    for changed in [
        "select created_at from reports where updated_at >= $since",
        "select 1 where now() > $since; select 2",
    ] {
        let extractor =
            platform.extractor_with(|config| query_of(config, Fact::Reports).changed = Some(changed.to_owned()));
        let found = mistakes(&extractor, &[Fact::Reports]).await;
        assert!(
            found[0].contains("queries/extract/moderation/reports.changed.sql"),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_query_that_forgets_its_window_or_knows_another_parameter_is_refused_without_connecting() {
    for (rows, said) in [
        ("select 1 -- $from, $to", "it must use $from"),
        ("select 1 where now() >= $from", "it must use $to"),
        (
            "select 1 where now() >= $from and now() < $to and id = $id",
            "it uses $id; its parameters are $from, $to",
        ),
    ] {
        let mut config = config(Source::Users, "postgresql://nobody@nowhere.invalid/users");
        query_of(&mut config, Fact::Users).rows = rows.to_owned();
        let error = PostgresSource::new(config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert_eq!(error.to_string(), format!("queries/extract/users/users.sql: {said}"));
    }
}

#[tokio::test]
async fn the_fingerprint_of_a_source_changes_with_its_columns_only() {
    let platform = Platform::empty(Source::Users).await;
    let fingerprint =
        async |extractor: &PostgresSource| open(extractor, Fact::Users).await.schema_fingerprint(Fact::Users);
    let before = fingerprint(&platform.extractor()).await;
    fill(&platform, 3).await;
    assert_eq!(fingerprint(&platform.extractor()).await, before);
    platform
        .execute("alter table users alter country type varchar(2) using 'DE'")
        .await;
    assert_ne!(fingerprint(&platform.extractor()).await, before);
}

#[tokio::test]
async fn files_of_the_operator_stand_in_for_the_embedded_queries_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("extract/users");
    std::fs::create_dir_all(&users).unwrap();
    std::fs::write(users.join("payments.sql"), "select 1").unwrap();
    std::fs::write(users.join("users.changed.sql"), "select 2").unwrap();
    let queries = kindred_extract::queries_from(folder.path(), Source::Users).unwrap();
    let embedded = kindred_extract::embedded_queries(Source::Users);
    assert_eq!(queries[&Fact::Payments].rows, "select 1");
    assert_eq!(queries[&Fact::Payments].changed, embedded[&Fact::Payments].changed);
    assert_eq!(queries[&Fact::Users].rows, embedded[&Fact::Users].rows);
    assert_eq!(queries[&Fact::Users].changed.as_deref(), Some("select 2"));
    assert_eq!(queries[&Fact::UserSessions], embedded[&Fact::UserSessions]);

    std::fs::write(users.join("users.sql"), [0xff, 0xfe]).unwrap();
    let error = kindred_extract::queries_from(folder.path(), Source::Users).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.to_string().contains("users/users.sql cannot be read"), "{error}");
}
