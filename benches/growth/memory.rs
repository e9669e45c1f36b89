//! The memory of a day's run when the day, and those that it looks back to, have ten times the rows.

use kindred_benches::figures::{Figure, Limit};
use kindred_benches::megabytes;
use kindred_benches::steps::Step;

use crate::calendar::Calendar;
use crate::platform::Platform;
use crate::process::Ran;
use crate::sources::Size;

/// Days before the one that is measured: as many as a run reads again, and one more.
const HISTORY_DAYS: u64 = 3;
const TIMES: u64 = 10;
const TIMES_AT_MOST: f64 = 1.15;
/// The peak differs a little from run to run: the larger counts.
const RUNS: usize = 2;

/// `MEMORY_LIMIT` of both.
const MEMORY_LIMIT: (&str, u64) = ("512M", 512 << 20);

/// The days have `volume` rows, and ten times as many, of the same people.
#[allow(clippy::cast_precision_loss, reason = "for people")]
pub(crate) async fn measure(calendar: &Calendar, users: u64, volume: u64) -> anyhow::Result<[Figure; 2]> {
    let few = peak(calendar, users, volume).await?;
    let many = peak(calendar, users, volume * TIMES).await?;
    let seen = format!("{:.0} MB against {:.0} MB", megabytes(many), megabytes(few));
    Ok([
        Figure {
            what: format!("memory of a day's run, {} rows a day", volume * TIMES),
            against: format!("{volume} rows a day"),
            value: many as f64 / few as f64,
            unit: "times".to_owned(),
            limit: Limit::AtMost(TIMES_AT_MOST),
            seen,
        },
        Figure {
            what: format!("memory of a day's run, {} rows a day", volume * TIMES),
            against: format!("MEMORY_LIMIT={}", MEMORY_LIMIT.0),
            value: megabytes(many),
            unit: "MB".to_owned(),
            limit: Limit::AtMost(megabytes(MEMORY_LIMIT.1).floor()),
            seen: format!("{users} people, {HISTORY_DAYS} days before"),
        },
    ])
}

/// The most bytes that the process of a day's run had resident.
#[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
async fn peak(calendar: &Calendar, users: u64, volume: u64) -> anyhow::Result<u64> {
    let size = Size {
        days: HISTORY_DAYS,
        users,
        volume,
    };
    let evening = format!("{}T00:00:00Z", calendar.yesterday());
    let platform = Platform::build(calendar, size, "daily", &evening).await?;
    let midnight = format!("{}T00:00:00Z", calendar.today());
    platform.sources.live(&evening, &midnight, volume).await?;
    let mut peak = 0;
    for _ in 0..RUNS {
        let copy = platform.copy().await?;
        let day = calendar.yesterday().to_string();
        let ran = copy.run(&["daily", "--date", &day], &[("MEMORY_LIMIT", MEMORY_LIMIT.0)])?;
        let steps = copy.steps().await?;
        let read: i64 = steps.iter().map(|step| step.rows_read).sum();
        println!(
            "{volume} rows a day: peak {:.0} MB, {:.2} s, {read} rows read; {}",
            megabytes(ran.peak),
            ran.took.as_secs_f64(),
            grown(&ran, &steps)
        );
        peak = ran.peak.max(peak);
    }
    Ok(peak)
}

/// What the peak was at the end of each step, for people: "pull 180 MB, state 195 MB".
fn grown(ran: &Ran, steps: &[Step]) -> String {
    let grown = steps
        .iter()
        .map(|step| format!("{} {:.0} MB", step.name, megabytes(ran.peak_by(step.ended.into()))));
    grown.collect::<Vec<_>>().join(", ")
}
