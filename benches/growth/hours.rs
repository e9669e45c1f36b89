//! How many rows of events an hour's refresh of `behavior_rollups` reads: the history before the hour must not matter,
//! the events of the hour may.

use kindred_benches::figures::{Figure, Limit};

use crate::calendar::Calendar;
use crate::platform::Platform;
use crate::sources::Size;
use crate::touched::{Touched, touched};

const SHORT_DAYS: u64 = 5;
const LONG_DAYS: u64 = 60;
/// Times the events of the busier hour.
const BUSIER: u64 = 4;
const TIMES_AT_MOST: f64 = 1.15;

/// What a refresh read.
struct Read {
    /// Rows of events: those of the source, and those of the lake's partitions that were opened.
    events: u64,
    seen: String,
}

/// Rows a day of one person: so many that the devices of all have been seen with their users before the hour. One that
/// is new would have its earlier events told to another person, which is right, and no growth.
const VOLUME_OF_ONE: u64 = 20;

/// Days of `volume` rows.
#[allow(clippy::cast_precision_loss, reason = "for people")]
pub(crate) async fn measure(calendar: &Calendar, volume: u64) -> anyhow::Result<[Figure; 2]> {
    let begins = calendar.last_hour()?;
    let (from, until) = (begins.to_rfc3339(), calendar.this_hour()?.to_rfc3339());
    let build = async |days: u64| {
        let users = (volume / VOLUME_OF_ONE).max(1);
        let size = Size { days, users, volume };
        let platform = Platform::build(calendar, size, "hourly", &from).await?;
        platform.sources.live(&from, &until, volume).await?;
        anyhow::Ok(platform)
    };
    let short = build(SHORT_DAYS).await?;
    let long = build(LONG_DAYS).await?;
    let of_short = refresh(SHORT_DAYS, &short).await?;
    let of_long = refresh(LONG_DAYS, &long).await?;
    // Numbers of other rows a day are others: these are added.
    short.sources.live(&from, &until, volume * (BUSIER - 1)).await?;
    let of_busier = refresh(SHORT_DAYS, &short).await?;
    Ok([
        Figure {
            what: format!("rows of events that an hour's refresh reads, {LONG_DAYS} days of history"),
            against: format!("{SHORT_DAYS} days of history"),
            value: of_long.events as f64 / of_short.events as f64,
            unit: "times".to_owned(),
            limit: Limit::AtMost(TIMES_AT_MOST),
            seen: format!("{} against {}", of_long.seen, of_short.seen),
        },
        Figure {
            what: format!("rows of events that an hour's refresh reads, {BUSIER} times the events in the hour"),
            against: format!("{BUSIER} times those of the hour as it was"),
            value: of_busier.events as f64 / (of_short.events * BUSIER) as f64,
            unit: "times".to_owned(),
            limit: Limit::AtMost(TIMES_AT_MOST),
            seen: of_busier.seen,
        },
    ])
}

#[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
async fn refresh(days: u64, platform: &Platform) -> anyhow::Result<Read> {
    let copy = platform.copy().await?;
    let pulled = "select (step -> 'detail' -> 'events' ->> 'rows')::bigint
        from (select steps from etl_job_runs order by requested_at desc limit 1) as last, jsonb_array_elements(steps) as step
        where step ->> 'name' = 'pull'";
    let Touched { ran, rows } = touched(&copy, &platform.lake(), || copy.run(&["hourly"], &[])).await?;
    let pulled: i64 = sqlx::query_scalar(pulled).fetch_one(copy.warehouse.pool()).await?;
    let of = |dataset: &str| rows.get(dataset).copied().unwrap_or_default();
    println!(
        "an hour after {days} days: {:.2} s, {}; {pulled} events pulled, rows of partitions read: {rows:?}",
        ran.took.as_secs_f64(),
        kindred_benches::steps::told(&copy.steps().await?)
    );
    Ok(Read {
        events: pulled.unsigned_abs() + of("facts/events"),
        seen: format!(
            "{pulled} pulled + {} in the lake, beside {} of event_counts",
            of("facts/events"),
            of("state/event_counts")
        ),
    })
}
