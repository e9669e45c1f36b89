//! What plans cost, in rows and bytes on tables that never change: a plan that reads or hands on more than it did fails
//! here, on any machine, however fast that is. Each query answers its first case, and the same with a row on many days of a
//! year, of which its window is one.
//!
//! `work.tsv` holds what each query did when it was last looked at. Whoever makes a plan cheaper, or has good cause to make
//! one dearer, writes it anew with `UPDATE_WORK=1` and shows the difference in the change.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kindred_engine::{Value, Work};

use super::plans::{day, with_history};
use super::{Bench, cases_of, library};

const HEAD: &str = "query\trows_read\tbytes_read\trows_passed";

#[tokio::test(flavor = "multi_thread")]
async fn no_plan_reads_or_hands_on_more_than_it_did() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("query_cases/work.tsv");
    let mut done = BTreeMap::new();
    for query in library().iter() {
        let case = || cases_of(query).swap_remove(0);
        let mut history = with_history(case());
        for (name, value) in [("from", 0), ("to", 1), ("first_cohort", -1), ("last_week", -1)] {
            history.params = history.params.with(name, Value::Day(day(value)));
        }
        let mut work = Work::default();
        for case in [case(), history] {
            // On one partition: how rows fall to several is of no meaning here.
            let bench = Bench::with_partitions(&case, 1).await;
            work = work + bench.session.measured(query, &case.params).await.unwrap().1;
        }
        done.insert(query.name.clone(), work);
    }
    if std::env::var_os("UPDATE_WORK").is_some() {
        std::fs::write(&file, written(&done)).unwrap();
    }
    let known = read(&std::fs::read_to_string(&file).unwrap());
    let names = |work: &BTreeMap<String, Work>| work.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&known), names(&done), "{} knows other queries", file.display());
    let mut dearer = String::new();
    for (name, work) in &done {
        let was = known[name];
        let is_dearer = [
            (was.rows_read, work.rows_read),
            (was.bytes_read, work.bytes_read),
            (was.rows_passed, work.rows_passed),
        ];
        // A tenth and two: whether a join's filter comes in time to skip a page is a matter of luck.
        if is_dearer.iter().any(|(was, is)| *is > was + was / 10 + 2) {
            writeln!(dearer, "queries/{name}.sql\n  was {was:?}\n  is  {work:?}").unwrap();
        }
    }
    assert!(dearer.is_empty(), "plans that do more than before:\n{dearer}");
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
