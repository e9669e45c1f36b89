//! Sources that are away, or not what they were.

use kindred_jobs::{ErrorKind, JobError};
use kindred_model::{Job, RunStatus, Source};

use super::{FROM, TOMORROW, YESTERDAY, empty_world, world};
use crate::support::World;
use crate::support::world::Sources;

/// Nobody listens there.
const NOBODY: &str = "postgresql://kindred:canary@127.0.0.1:1/nowhere";

fn moderation_is_down(sources: &mut Sources) {
    sources.insert(Source::Moderation, NOBODY.to_owned());
}

fn moderation_is_unset(sources: &mut Sources) {
    sources.remove(&Source::Moderation);
}

fn moderation_is_back(_: &mut Sources) {}

/// Runs the day's job, which must fail, say so in the ledger, and leave everything as it was.
async fn fails(world: &World) -> JobError {
    let (rows, files) = (world.versions().await, world.lake_files());
    let watermarks = "select string_agg(dataset || extracted_to, ',' order by dataset) from source_watermarks";
    let read = world.ask(watermarks).await;
    world.wait(10);
    let error = world.run(YESTERDAY, TOMORROW).await.unwrap_err();
    let run = world.platform.warehouse.latest_run(Job::Daily).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!(run.error_message, Some(kindred_jobs::describe(&error)));
    assert_eq!((run.records_read, run.records_processed), (0, 0));
    assert!(world.versions().await == rows, "rows were written");
    assert!(world.lake_files() == files, "files were written");
    assert_eq!(world.ask(watermarks).await, read);
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_source_that_is_down_fails_the_run_and_is_named() {
    let mut world = world().await;
    for source in [Source::Users, Source::Interactions, Source::Communications] {
        world
            .with_sources(|sources| drop(sources.insert(source, NOBODY.to_owned())))
            .await;
        let error = fails(&world).await;
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        let message = error.to_string();
        for word in [source.as_str(), source.setting(), "127.0.0.1:1"] {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
        assert!(!message.contains("canary"), "{message}");
    }
    world.with_sources(|sources| drop(sources.remove(&Source::Users))).await;
    let error = fails(&world).await;
    assert!(error.to_string().contains("USER_SERVICE_DATABASE_URL"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_breaks_the_contract_fails_the_run_before_anything_is_read() {
    let world = world().await;
    // Reading this row would fail with another error.
    world
        .change("update users set created_at = 'infinity', updated_at = '2026-03-15T10:35:00Z' where is_internal")
        .await;
    for (change, words) in [
        (
            "alter table messages rename sender_id to author_id",
            ["messages", "sender_id"],
        ),
        (
            "alter table messages rename author_id to sender_id; alter table swipes alter action type bytea using ''",
            ["swipes", "action"],
        ),
        (
            "alter table swipes alter action type text using 'like'; alter table matches rename to pairs",
            ["matches", "pairs"],
        ),
    ] {
        world.change(change).await;
        let error = fails(&world).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
        let message = error.to_string();
        assert!(message.contains(words[0]), "{words:?}: {message}");
        assert!(
            words[1] == "pairs" || message.contains(words[1]),
            "{words:?}: {message}"
        );
    }
}

/// How many days have reports, how many know that they have none, and how many do not know.
async fn reports(world: &World) -> String {
    let sql = "select format('%s some, %s none, %s unknown', count(*) filter (where total_reports > 0),
        count(*) filter (where total_reports = 0), count(*) filter (where total_reports is null))
        from daily_kpi_summaries where (total_reports is null) = (total_moderation_actions is null)";
    world.ask(sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_moderation_its_figures_are_unknown_and_the_run_says_why() {
    let mut world = empty_world().await;
    world.with_sources(moderation_is_unset).await;
    let run = world
        .run("2026-02-20", TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((run.status, run.error_message), (RunStatus::Completed, None));
    assert_eq!(reports(&world).await, "0 some, 0 none, 24 unknown");

    world.with_sources(moderation_is_down).await;
    world.wait(10);
    let run = world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.status, RunStatus::Partial);
    let message = run.error_message.unwrap_or_default();
    assert!(
        message.contains("MODERATION_SERVICE_DATABASE_URL") && !message.contains("canary"),
        "{message}"
    );
    assert_eq!(reports(&world).await, "0 some, 0 none, 24 unknown");

    // It knows everything when it comes back: also of the days on which nothing was reported.
    world.with_sources(moderation_is_back).await;
    world.wait(10);
    let run = world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.status, RunStatus::Completed);
    world.assert_sound().await;
    world.assert_equals(&world.clean("2026-02-20", TOMORROW).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_of_moderation_stays_while_it_is_down() {
    let mut world = world().await;
    let before = "select string_agg(total_reports::text, ',' order by date) from daily_kpi_summaries
        where date < '2026-03-15'";
    let known = world.ask(before).await;
    world.with_sources(moderation_is_down).await;
    world.wait(60);
    let run = world
        .run("2026-03-01", TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.status, RunStatus::Partial);
    assert_eq!(world.ask(before).await, known);
    let today = "select total_reports::text from daily_kpi_summaries where date = '2026-03-15'";
    assert_eq!(world.ask(today).await, None, "today is not known to its end so far");
    let held = "select (min(extracted_to) filter (where source <> 'moderation')
        > max(extracted_to) filter (where source = 'moderation'))::text from source_watermarks";
    assert_eq!(world.ask(held).await.as_deref(), Some("true"));

    world.with_sources(moderation_is_back).await;
    world.wait(10);
    world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
    world.assert_equals(&world.clean(FROM, TOMORROW).await).await;
}
