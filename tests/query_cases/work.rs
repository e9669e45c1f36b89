//! What plans cost, in rows and bytes on tables that never change: a plan that reads or hands on more than it did fails
//! here, on any machine, however fast that is. Each query answers its first case, and the same with a row on many days of a
//! year, of which its window is one.
//!
//! `work.tsv` holds what each query did when it was last looked at. Whoever makes a plan cheaper, or has good cause to make
//! one dearer, writes it anew with `UPDATE_WORK=1` and shows the difference in the change.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kindred_engine::{Query, Value, Work};

use super::bench::MEMORY;
use super::plans::{day, with_history};
use super::{Bench, cases_of, library};

const HEAD: &str = "query\trows_read\tbytes_read\trows_passed";

/// A plan that seems dearer is tried so often: whether a join finds one side empty before the other is read is a matter of
/// luck, and what is dearer for good is so every time.
const TRIES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn no_plan_reads_or_hands_on_more_than_it_did() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("query_cases/work.tsv");
    let library = library();
    if std::env::var_os("UPDATE_WORK").is_some() {
        let mut done = BTreeMap::new();
        for query in library.iter() {
            done.insert(query.name.clone(), most_of(query).await);
        }
        std::fs::write(&file, written(&done)).unwrap();
    }
    let known = read(&std::fs::read_to_string(&file).unwrap());
    let mut names: Vec<_> = library.iter().map(|query| query.name.clone()).collect();
    names.sort();
    assert_eq!(names, known.keys().cloned().collect::<Vec<_>>(), "{}", file.display());
    let mut dearer = String::new();
    for query in library.iter() {
        let was = known[&query.name];
        let mut is = work_of(query).await;
        for _ in 1..TRIES {
            if is_dearer(was, is) {
                is = work_of(query).await;
            }
        }
        if is_dearer(was, is) {
            writeln!(dearer, "queries/{}.sql\n  was {was:?}\n  is  {is:?}", query.name).unwrap();
        }
    }
    assert!(dearer.is_empty(), "plans that do more than before:\n{dearer}");
}

/// The most that a query does in some tries.
async fn most_of(query: &Query) -> Work {
    let mut most = Work::default();
    for _ in 0..TRIES {
        let work = work_of(query).await;
        most = Work {
            rows_read: most.rows_read.max(work.rows_read),
            bytes_read: most.bytes_read.max(work.bytes_read),
            rows_passed: most.rows_passed.max(work.rows_passed),
        };
    }
    most
}

/// By more than a tenth and two.
fn is_dearer(was: Work, is: Work) -> bool {
    let pairs = [
        (was.rows_read, is.rows_read),
        (was.bytes_read, is.bytes_read),
        (was.rows_passed, is.rows_passed),
    ];
    pairs.iter().any(|(was, is)| *is > was + was / 10 + 2)
}

/// What a query does for its first case, and for the same with a history.
async fn work_of(query: &Query) -> Work {
    let case = || cases_of(query).swap_remove(0);
    let mut history = with_history(case());
    for (name, value) in [("from", 0), ("to", 1), ("first_cohort", -1), ("last_week", -1)] {
        history.params = history.params.with(name, Value::Day(day(value)));
    }
    let mut work = Work::default();
    for case in [case(), history] {
        // On one partition: how rows fall to several is of no meaning here.
        let bench = Bench::with(&case, 1, MEMORY).await;
        work = work + bench.session.measured(query, &case.params).await.unwrap().1;
    }
    work
}

fn written(done: &BTreeMap<String, Work>) -> String {
    let line = |(name, work): (&String, &Work)| {
        format!(
            "{name}\t{}\t{}\t{}\n",
            work.rows_read, work.bytes_read, work.rows_passed
        )
    };
    format!("{HEAD}\n{}", done.iter().map(line).collect::<String>())
}

fn read(text: &str) -> BTreeMap<String, Work> {
    let (head, lines) = text.split_once('\n').unwrap();
    assert_eq!(head, HEAD);
    let work = lines.lines().map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        let number = |index: usize| fields[index].parse().unwrap();
        let work = Work {
            rows_read: number(1),
            bytes_read: number(2),
            rows_passed: number(3),
        };
        (fields[0].to_owned(), work)
    });
    work.collect()
}
