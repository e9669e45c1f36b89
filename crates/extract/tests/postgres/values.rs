//! What the values of a source become.

use kindred_extract::{ErrorKind, fact_schema};
use kindred_model::{Fact, Source};

use crate::platform::{Platform, column, facts, fill, open, oracle, query_of, read_all, texts, try_collect};

#[tokio::test]
async fn every_fact_is_what_sqlx_reads_with_users_replaced_by_their_keys() {
    for &source in Source::DATABASES {
        let platform = Platform::empty(source).await;
        fill(&platform, 300).await;
        let extractor = platform.extractor_with(|config| config.batch_rows = 128);
        for fact in facts(source) {
            let read = read_all(&extractor, fact).await;
            assert_eq!(read.num_rows(), 300, "{fact}");
            assert_eq!(read.schema(), fact_schema(fact), "{fact}");
            assert_eq!(texts(&read), oracle(&platform, fact).await, "{fact}");
            for field in read.schema().fields().iter().filter(|field| field.is_nullable()) {
                let nulls = read.column_by_name(field.name()).unwrap().null_count();
                assert!((1..300).contains(&nulls), "{fact}.{} has {nulls} nulls", field.name());
            }
        }
    }
}

#[tokio::test]
async fn an_empty_table_gives_no_batch_and_no_error() {
    let platform = Platform::empty(Source::Users).await;
    let mut rows = open(&platform.extractor(), Fact::Payments)
        .await
        .read(Fact::Payments, None, None);
    assert!(rows.next().await.is_none());
    assert!(rows.next().await.is_none());
}

#[tokio::test]
async fn batches_have_the_rows_that_were_asked_for_and_the_last_one_the_rest() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 250).await;
    let extractor = platform.extractor_with(|config| config.batch_rows = 100);
    let mut rows = open(&extractor, Fact::Users).await.read(Fact::Users, None, None);
    let mut sizes = Vec::new();
    while let Some(batch) = rows.next().await {
        sizes.push(batch.unwrap().num_rows());
    }
    assert_eq!(sizes, [100, 100, 50]);
}

#[tokio::test]
async fn a_private_column_never_leaves_even_when_a_query_returns_it() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 20).await;
    let leaky = "select id as user_key, * from users where created_at >= $from and created_at < $to; \n";
    let read = read_all(&platform.extractor_of(Fact::Users, leaky), Fact::Users).await;
    assert_eq!(read.schema(), fact_schema(Fact::Users));
    assert!(!format!("{:?}", texts(&read)).contains("PRIVATE"));
}

#[tokio::test]
async fn a_user_id_kept_as_text_has_the_key_of_its_uuid_and_any_other_text_its_own() {
    let platform = Platform::empty(Source::Interactions).await;
    let swipes = |user: &str, target: &str| {
        format!(
            "select {user} as user_key, {target} as target_user_key, 'like' as action, now() as created_at
             where now() >= $from and now() < $to"
        )
    };
    let id = "'6F1C0D3A-8d5e-4f0b-9a55-2b7c1e9f3d42'";
    let read = read_all(
        &platform.extractor_of(Fact::Swipes, &swipes(&format!("{id}::text"), &format!("{id}::uuid"))),
        Fact::Swipes,
    )
    .await;
    assert_eq!(column(&read, "user_key"), ["-8723311949586557094"]);
    assert_eq!(column(&read, "target_user_key"), ["-8723311949586557094"]);

    let text = platform.extractor_of(Fact::Swipes, &swipes("'user-42'::varchar", "''::text"));
    let read = read_all(&text, Fact::Swipes).await;
    assert_eq!(column(&read, "user_key"), ["-7732737561999183645"]);
    assert_eq!(column(&read, "target_user_key"), ["-256008712516109129"]);
}

#[tokio::test]
async fn an_enum_and_a_padded_text_are_texts() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 1).await;
    platform
        .execute(
            "create type standing as enum ('fine', 'banned');
             alter table users alter status drop default, alter status type standing using 'banned';
             alter table users alter country type char(2) using 'DE'",
        )
        .await;
    let read = read_all(&platform.extractor(), Fact::Users).await;
    assert_eq!(column(&read, "status"), [r#""banned""#]);
    assert_eq!(column(&read, "country"), [r#""DE""#]);
}

#[tokio::test]
async fn a_value_without_a_place_in_the_contract_stops_the_read_and_is_named() {
    let platform = Platform::empty(Source::Moderation).await;
    let rows = actions("'ban'", "'-infinity'::timestamptz");
    let extractor = platform.extractor_of(Fact::ModerationActions, &rows);
    let snapshot = open(&extractor, Fact::ModerationActions).await;
    let error = try_collect(snapshot.read(Fact::ModerationActions, None, None))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    for said in [
        "moderation_actions.created_at: an instant is infinite",
        "queries/extract/moderation/moderation_actions.sql",
    ] {
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn rows_with_nulls_where_none_may_be_are_left_out_and_counted_by_column() {
    let platform = Platform::empty(Source::Moderation).await;
    // Of ten rows of the first day two have no action; so has, beside its id, the one of the second.
    let rows = "select case when n < 11 then gen_random_uuid() end as id, gen_random_uuid() as user_id,
            case when n > 2 and n < 11 then 'ban' end as action, true as automated,
            case when n < 11 then timestamptz '2026-03-01T12:00Z' else timestamptz '2026-03-02T12:00Z' end as created_at
        from generate_series(1, 11) as n
        where now() >= $from and now() < $to";
    let extractor = platform.extractor_with(|config| {
        query_of(config, Fact::ModerationActions).rows = rows.to_owned();
        config.batch_rows = 4;
    });
    let mut read = open(&extractor, Fact::ModerationActions)
        .await
        .read(Fact::ModerationActions, None, None);
    let mut taken = 0;
    while let Some(batch) = read.next().await {
        taken += batch.unwrap().num_rows();
    }
    let nulls = read.nulls();
    assert_eq!((taken, nulls.rows), (8, 3));
    assert_eq!(nulls.columns, [("action", 3), ("id", 1)].into());
}

/// One action of moderation.
fn actions(action: &str, at: &str) -> String {
    format!(
        "select gen_random_uuid() as id, gen_random_uuid() as user_id, {action} as action, true as automated,
            {at} as created_at
         where now() >= $from and now() < $to"
    )
}

#[tokio::test]
async fn an_amount_too_large_for_the_contract_stops_the_read() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 1).await;
    platform
        .execute("alter table payments alter amount type numeric(20,2) using 10000000000.00")
        .await;
    let rows = open(&platform.extractor(), Fact::Payments)
        .await
        .read(Fact::Payments, None, None);
    let error = try_collect(rows).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("payments.amount: an amount has more than 12 digits"),
        "{error}"
    );
}

#[tokio::test]
async fn an_amount_that_is_no_number_stops_the_read_and_names_its_column() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 1).await;
    platform.execute("update payments set amount = 'NaN'").await;
    let rows = open(&platform.extractor(), Fact::Payments)
        .await
        .read(Fact::Payments, None, None);
    let error = try_collect(rows).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
    let said = error.to_string();
    assert!(said.contains("payments.amount: a value cannot be read"), "{said}");
    assert!(said.contains("NaN"), "{said}");
}

#[tokio::test]
async fn a_stream_ends_after_its_first_error() {
    use futures::StreamExt;

    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 10).await;
    let extractor = platform.extractor_with(|config| {
        config.batch_rows = 4;
        let rows = &mut query_of(config, Fact::Users).rows;
        *rows = rows.replace(
            "created_at,",
            "case when row_number() over (order by created_at) < 10 then created_at else 'infinity' end as created_at,",
        );
    });
    let rows = open(&extractor, Fact::Users).await.read(Fact::Users, None, None);
    let ends: Vec<_> = rows
        .into_stream()
        .map(|batch| batch.map(|batch| batch.num_rows()).ok())
        .collect()
        .await;
    assert_eq!(ends, [Some(4), Some(4), None]);
}
