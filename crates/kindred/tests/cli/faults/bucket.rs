//! A lake in a bucket that goes away, is deleted, or stands still.

use std::time::Duration;

use kindred_testkit::{Conduct, End, Proxy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::gate::{Gate, Place};
use super::night::Night;
use super::outcome::{Outcome, assert_same, outcome, tables};
use super::round::Round;
use crate::support::{Answer, Kindred, LAKE, S3Server};

/// Within which time a run fails whose bucket answers no more: what one request is given, and what clearing up is.
const GIVEN_UP: Duration = Duration::from_secs(90 + 20);

/// The night with its lake in a bucket, at the end of a wire.
struct Bucket {
    s3: S3Server,
    wire: Proxy,
    round: Round,
    kindred: Kindred,
}

/// What must not change when a run fails: the tables, and the published objects with their tags.
type Standing = (Outcome, Vec<(String, (u64, String))>);

impl Bucket {
    async fn of(night: &Night, name: &str) -> Self {
        let round = night.round(name).await;
        let s3 = S3Server::start().await;
        s3.upload(&round.lake, round.files()).await;
        let wire = s3.wire().await;
        Self {
            kindred: S3Server::keeps_lake_of(round.kindred.clone(), wire.url()),
            s3,
            wire,
            round,
        }
    }

    /// Begins the night's run and waits until it waits at a gate.
    async fn run_to(&self, place: Place) -> (JoinHandle<Answer>, Gate) {
        let gate = Gate::at(place, &self.round.pool).await;
        let run = tokio::spawn(self.round.run(&self.kindred));
        gate.reached().await;
        (run, gate)
    }

    async fn standing(&self) -> Standing {
        let objects = self.s3.objects().await.into_iter();
        let published = objects.filter(|(key, _)| !key.starts_with(".staging/"));
        (tables(&self.round.pool).await, published.collect())
    }

    /// Demands that a run failed, says why, and is to be tried again.
    async fn is_failed(&self, answer: Answer, words: &[&str], at: &str) {
        let answer = answer.expect(3);
        answer.complains(words);
        assert_eq!(self.round.status().await.as_deref(), Some("failed"), "{at}");
        assert_eq!(self.round.published().await, 0, "{at}");
        let told = "select count(*) from etl_job_runs where retry_at is not null and error_message like '%s3://lake%'";
        assert_eq!(self.round.count(told).await, 1, "{at}: {answer}");
    }

    /// Runs the day once more, undisturbed.
    async fn ends_well(&self, night: &Night, at: &str) {
        let answer = self.round.run(&self.kindred).await.expect(0);
        answer.says(&["status    completed"]);
        self.is_as_undisturbed(night, at).await;
    }

    async fn is_as_undisturbed(&self, night: &Night, at: &str) {
        let found = outcome(&self.round.pool, &self.s3.lake(), &self.s3.keys().await).await;
        assert_same(at, &found, &night.expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_while_a_run_reads_fails_it_and_the_next_one_succeeds() {
    survives(&[Place::StepEnds(1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two places more, and a server of buckets that takes its time: `make test-faults`"]
async fn a_bucket_that_is_away_fails_the_run_which_publishes_nothing_and_the_next_one_succeeds() {
    // While the run writes, and when it would put its files into their places.
    survives(&[Place::StepBegins(1), Place::Table("lake_partitions")]).await;
}

async fn survives(places: &[Place]) {
    let night = Night::prepared().await;
    for (number, place) in places.iter().enumerate() {
        let at = format!("away at {place:?}");
        let bucket = Bucket::of(&night, &format!("away-{number}")).await;
        let before = bucket.standing().await;
        let (run, gate) = bucket.run_to(*place).await;
        bucket.wire.set(Conduct::Refuse);
        gate.open().await;
        let answer = run.await.unwrap();
        bucket
            .is_failed(answer, &[LAKE, "no answer", "AWS_ENDPOINT"], &at)
            .await;
        bucket.wire.set(Conduct::Carry);
        assert!(bucket.standing().await == before, "{at}: something was published");
        bucket.ends_well(&night, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a server of buckets takes its time: `make test-faults`"]
async fn a_bucket_that_goes_away_between_two_files_leaves_the_lake_ahead_and_the_next_run_repairs_it() {
    let night = Night::prepared().await;
    let bucket = Bucket::of(&night, "between").await;
    let (tables, objects) = bucket.standing().await;
    let (run, gate) = bucket.run_to(Place::Table("lake_partitions")).await;
    bucket.wire.set(Conduct::Carry);
    gate.open().await;
    // One copy is less than 2 KB.
    while bucket.wire.carried(End::Client) < 20_000 {
        sleep(Duration::from_millis(1)).await;
    }
    bucket.wire.set(Conduct::Refuse);
    let at = "away between two files";
    bucket.is_failed(run.await.unwrap(), &[LAKE, "no answer"], at).await;
    bucket.wire.set(Conduct::Carry);
    let after = bucket.standing().await;
    assert!(after.0 == tables, "{at}: something was published");
    assert_ne!(after.1, objects, "no file had come to its place");
    bucket.ends_well(&night, at).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a server of buckets takes its time: `make test-faults`"]
async fn a_bucket_that_is_deleted_in_the_middle_of_a_run_is_told_and_filled_again_by_the_next_one() {
    let night = Night::prepared().await;
    let bucket = Bucket::of(&night, "deleted").await;
    let (before, _) = bucket.standing().await;
    let (run, gate) = bucket.run_to(Place::StepEnds(2)).await;
    bucket.s3.delete_bucket().await;
    gate.open().await;
    let at = "the bucket was deleted";
    bucket
        .is_failed(run.await.unwrap(), &[LAKE, "there is no such bucket"], at)
        .await;
    assert!(
        tables(&bucket.round.pool).await == before,
        "{at}: something was published"
    );
    bucket.s3.make_bucket().await;
    bucket.ends_well(&night, at).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a server of buckets takes its time: `make test-faults`"]
async fn a_wire_to_the_bucket_that_is_cut_once_only_delays_the_run() {
    let night = Night::prepared().await;
    let bucket = Bucket::of(&night, "cut").await;
    bucket.wire.set(Conduct::CutAfter(End::Client, 400_000));
    bucket.ends_well(&night, "the wire was cut").await;
    assert_eq!(bucket.wire.cuts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it waits for two minutes: `make test-faults`"]
async fn a_bucket_that_stands_still_fails_the_run_in_two_minutes() {
    let night = Night::prepared().await;
    for (number, place) in [Place::StepEnds(1), Place::Table("lake_partitions")]
        .into_iter()
        .enumerate()
    {
        let at = format!("still at {place:?}");
        let bucket = Bucket::of(&night, &format!("still-{number}")).await;
        let (run, gate) = bucket.run_to(place).await;
        bucket.wire.set(Conduct::Stall);
        let began = Instant::now();
        gate.open().await;
        bucket.is_failed(run.await.unwrap(), &[LAKE, "no answer"], &at).await;
        assert!(began.elapsed() < GIVEN_UP, "{at}: it took {:?}", began.elapsed());
        bucket.wire.set(Conduct::Carry);
        bucket.ends_well(&night, &at).await;
    }
}
