//! The run of a day at the end of a long history, against that at the end of a short one.

use std::time::Duration;

use kindred_benches::figures::{Figure, Limit};
use kindred_benches::median;
use kindred_benches::rounds::rounds;
use kindred_benches::steps::told;

use crate::calendar::Calendar;
use crate::platform::Platform;
use crate::sources::Size;

const SHORT_DAYS: u64 = 40;
const ROUNDS: usize = 3;
const TIMES_AT_MOST: f64 = 1.15;

/// Days of `volume` rows by `users` people; the long history has `long_days` of them.
pub(crate) async fn measure(calendar: &Calendar, long_days: u64, users: u64, volume: u64) -> anyhow::Result<Figure> {
    let evening = format!("{}T00:00:00Z", calendar.yesterday());
    let build = async |days: u64| {
        let size = Size {
            days: days - 1,
            users,
            volume,
        };
        let platform = Platform::build(calendar, size, "daily", &evening).await?;
        platform
            .sources
            .live(&evening, &format!("{}T00:00:00Z", calendar.today()), volume)
            .await?;
        anyhow::Ok(platform)
    };
    let short = build(SHORT_DAYS).await?;
    let long = build(long_days).await?;
    let (mut of_short, mut of_long) = (Vec::new(), Vec::new());
    let round = rounds(
        "a day's run",
        ROUNDS,
        async || day(calendar, &short, SHORT_DAYS, &mut of_short).await,
        async || day(calendar, &long, long_days, &mut of_long).await,
    )
    .await?;
    Ok(Figure {
        what: format!("the run of day {long_days}, {volume} rows a day"),
        against: format!("that of day {SHORT_DAYS}"),
        value: round.time(),
        unit: "times".to_owned(),
        limit: Limit::AtMost(TIMES_AT_MOST),
        seen: format!(
            "{:.2} s against {:.2} s; of the process alone {:.2} s against {:.2} s",
            round.product.as_secs_f64(),
            round.floor.as_secs_f64(),
            median(of_long).as_secs_f64(),
            median(of_short).as_secs_f64()
        ),
    })
}

/// Runs yesterday on a copy; `computed` takes what the process computed, without the database's server.
#[allow(clippy::print_stdout, reason = "a benchmark speaks to a terminal")]
async fn day(
    calendar: &Calendar,
    platform: &Platform,
    days: u64,
    computed: &mut Vec<Duration>,
) -> anyhow::Result<Duration> {
    let copy = platform.copy().await?;
    let ran = copy.run(&["daily", "--date", &calendar.yesterday().to_string()], &[])?;
    println!(
        "day {days}: {:.2} s, computed {:.2} s; {}",
        ran.took.as_secs_f64(),
        ran.computed.as_secs_f64(),
        told(&copy.steps().await?)
    );
    computed.push(ran.computed);
    Ok(ran.took)
}
