//! Starting, sharing, stopping, and every kill.

use std::fs;
use std::time::{Duration, Instant};

use crate::owner::Owner;
use crate::support::{self, State, kill, postmaster, processes_in, supervisor_of, until};
use kindred_embedded_pg::start;

#[tokio::test]
async fn what_was_committed_is_there_after_a_stop_and_a_second_start_is_fast() {
    let state = State::new();
    let server = start(state.options()).await.unwrap();
    assert!(server.create_database("kept").await.unwrap());
    assert!(!server.create_database("kept").await.unwrap(), "it is there already");
    state
        .execute(&server, "kept", "create table word as select 'still here' as said")
        .await;
    server.close().await.unwrap();
    assert_eq!(processes_in(&state), Vec::<i32>::new(), "close waits for the stop");

    let began = Instant::now();
    let server = start(state.options()).await.unwrap();
    let took = began.elapsed();
    assert_eq!(state.text(&server, "kept", "select said from word").await, "still here");
    assert!(took < Duration::from_secs(2), "the second start took {took:?}");
}

#[tokio::test]
async fn a_durable_server_syncs_its_commits_and_speaks_utf8_in_the_c_collation() {
    let state = State::new();
    let server = start(state.options()).await.unwrap();
    let settings = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in \
                    ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', 'server_encoding', \
                    'synchronous_commit', 'TimeZone', 'unix_socket_permissions')";
    assert_eq!(
        state.text(&server, "postgres", settings).await,
        "TimeZone=UTC data_checksums=on fsync=on full_page_writes=on listen_addresses= server_encoding=UTF8 \
         synchronous_commit=on unix_socket_permissions=0700"
    );
    let collation = "select datcollate::text from pg_database where datname = 'postgres'";
    assert_eq!(state.text(&server, "postgres", collation).await, "C");
    let rules = "select string_agg(distinct type || ':' || auth_method, ' ') from pg_hba_file_rules";
    assert_eq!(state.text(&server, "postgres", rules).await, "host:reject local:trust");
    assert_eq!(support::mode(server.socket_dir()), 0o700);
}

#[tokio::test]
async fn owners_of_one_state_share_a_server_that_stays_until_the_last_is_gone() {
    let state = State::new();
    let first = start(state.options()).await.unwrap();
    let second = start(state.options()).await.unwrap();
    let began = "select pg_postmaster_start_time()::text";
    assert_eq!(
        state.text(&first, "postgres", began).await,
        state.text(&second, "postgres", began).await
    );

    drop(first);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(state.text(&second, "postgres", "select 'up'").await, "up");

    drop(second);
    until("the server has stopped", || processes_in(&state).is_empty()).await;
    assert!(!state.data().join("postmaster.pid").exists(), "it was an orderly stop");
}

#[tokio::test]
async fn closing_one_of_two_holds_does_not_wait_for_the_other() {
    let state = State::new();
    let first = start(state.options()).await.unwrap();
    let second = start(state.options()).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(5), first.close()).await;
    closed.expect("it returns at once").unwrap();
    assert_eq!(state.text(&second, "postgres", "select 'up'").await, "up");
}

#[tokio::test]
async fn an_owner_that_is_killed_leaves_nothing_running() {
    let state = State::new();
    let mut owner = Owner::spawn(&state);
    assert_eq!(owner.answer(), "ready");
    assert!(!processes_in(&state).is_empty());
    owner.kill();
    until("the server has stopped", || processes_in(&state).is_empty()).await;
    until("the supervisor is gone", || state.supervisors().is_empty()).await;
}

#[tokio::test]
async fn a_killed_postmaster_is_started_again_while_it_is_owned() {
    let state = State::new();
    let server = start(state.options()).await.unwrap();
    state
        .execute(&server, "postgres", "create table t as select 'committed' as said")
        .await;
    // A busy process of the old server must not keep the new one from starting.
    let busy = server.url("postgres");
    let busy =
        tokio::spawn(async move { support::query(&busy, "select count(*)::text from generate_series(1, 4e9)").await });
    tokio::time::sleep(Duration::from_millis(500)).await;

    let killed = postmaster(&state).unwrap();
    kill(killed);
    state.until_up(&server).await;
    assert_ne!(postmaster(&state), Some(killed));
    assert_eq!(state.text(&server, "postgres", "select said from t").await, "committed");
    assert!(busy.await.unwrap().is_err(), "the query of the killed server is lost");
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_server_along_and_an_owner_brings_both_back() {
    let state = State::new();
    let server = start(state.options()).await.unwrap();
    state
        .execute(&server, "postgres", "create table t as select 'committed' as said")
        .await;
    let before = postmaster(&state).unwrap();
    kill(supervisor_of(before));
    until("the server is gone", || !processes_in(&state).contains(&before)).await;

    state.until_up(&server).await;
    assert_eq!(state.text(&server, "postgres", "select said from t").await, "committed");
    drop(server);
    until("the server has stopped", || processes_in(&state).is_empty()).await;
}

#[tokio::test]
async fn an_owner_and_the_supervisor_killed_together_leave_nothing_running() {
    let state = State::new();
    let mut owner = Owner::spawn(&state);
    assert_eq!(owner.answer(), "ready");
    let supervisor = supervisor_of(postmaster(&state).unwrap());
    kill(supervisor);
    owner.kill();
    until("the server has stopped", || processes_in(&state).is_empty()).await;
}

#[tokio::test]
async fn a_start_recovers_when_everything_was_killed_at_once() {
    let state = State::new();
    let mut owner = Owner::spawn(&state);
    assert_eq!(owner.answer(), "ready");
    support::query(&owner.url(), "create table t as select 'committed' as said")
        .await
        .unwrap();
    kill(supervisor_of(postmaster(&state).unwrap()));
    for process in processes_in(&state) {
        kill(process);
    }
    owner.kill();
    until("all are gone", || processes_in(&state).is_empty()).await;
    // What a restart of the machine leaves: the dead server's number now means somebody else.
    let mut foreigner = state.foreigner();
    for stale in ["data/postmaster.pid", "run/.s.PGSQL.5432.lock"] {
        let stale = state.path().join("postgres").join(stale);
        let written = fs::read_to_string(&stale).expect("a killed server leaves its pid files");
        let (_, rest) = written.split_once('\n').unwrap();
        fs::write(&stale, format!("{}\n{rest}", foreigner.id())).unwrap();
    }

    let server = start(state.options()).await;
    foreigner.kill().unwrap();
    foreigner.wait().unwrap();
    assert_eq!(
        state.text(&server.unwrap(), "postgres", "select said from t").await,
        "committed"
    );
}

#[tokio::test]
async fn many_processes_that_start_at_once_get_one_server() {
    let state = State::new();
    let mut owners: Vec<Owner> = (0..6).map(|_| Owner::spawn(&state)).collect();
    for owner in &mut owners {
        assert_eq!(owner.answer(), "ready");
    }
    assert_eq!(state.supervisors().len(), 1);
    let server = start(state.options()).await.unwrap();
    assert_eq!(server.url("postgres"), owners[0].url());
    owners.iter_mut().for_each(Owner::kill);
    assert_eq!(state.text(&server, "postgres", "select 'up'").await, "up");
}

#[tokio::test]
async fn an_owner_that_comes_while_the_server_stops_gets_a_running_one() {
    let state = State::new();
    for round in 0..5 {
        let server = start(state.options()).await.unwrap();
        assert_eq!(
            state.text(&server, "postgres", "select 'up'").await,
            "up",
            "round {round}"
        );
        drop(server);
        // Sometimes before the supervisor has noticed, sometimes in the middle of the shutdown.
        tokio::time::sleep(Duration::from_millis(15 * round)).await;
    }
}

#[tokio::test]
async fn a_start_killed_in_the_middle_of_initdb_leaves_no_half_cluster() {
    let state = State::new();
    let mut owner = Owner::spawn(&state);
    until("initdb is at work", || {
        state.path().join("postgres/data.unfinished/PG_VERSION").exists()
    })
    .await;
    owner.kill();
    assert!(!state.data().exists());

    let server = start(state.options()).await.unwrap();
    assert_eq!(state.text(&server, "postgres", "select 'up'").await, "up");
    assert!(!state.path().join("postgres/data.unfinished").exists());
}

#[tokio::test]
async fn a_lingering_server_outlives_its_owner_for_a_while_and_takes_new_ones() {
    let state = State::new();
    let mut options = state.options();
    options.linger = Duration::from_secs(3);
    drop(start(options.clone()).await.unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = postmaster(&state).expect("it lingers");
    drop(start(options).await.unwrap());
    assert_eq!(postmaster(&state), Some(before));
    until("the server has stopped", || processes_in(&state).is_empty()).await;
}

#[tokio::test]
async fn an_ephemeral_server_starts_empty_every_time() {
    let state = State::new();
    let mut options = state.options();
    options.durability = kindred_embedded_pg::Durability::Ephemeral;
    let server = start(options.clone()).await.unwrap();
    assert_eq!(
        state.text(&server, "postgres", "select current_setting('fsync')").await,
        "off"
    );
    server.create_database("gone").await.unwrap();
    server.close().await.unwrap();
    let server = start(options).await.unwrap();
    assert!(
        server.create_database("gone").await.unwrap(),
        "it is not there any more"
    );
}
