//! Rolling actives of 90 days: from compact state as the product counts them, against counting sessions' users anew for
//! every day.

use std::time::Duration;

use arrow::compute::concat_batches;
use kindred_benches::figures::{Figure, Limit};
use kindred_benches::rounds::rounds;
use kindred_engine::Value;

use crate::compare::expect_same;
use crate::peer::{Peer, statement};
use crate::subject::{Subject, all_days, midnight};

const TIMES_AT_LEAST: f64 = 30.0;

const QUERY: &str = "kpi/daily_active_users";

/// A row of all three counts of one day, one `COUNT(DISTINCT)` each. A statement for each count takes DuckDB as long,
/// and so does one for all of it that joins the days with who was there on the 30 days before.
const OF_A_DAY: &str = "actives/of_a_day";

/// Measures how many times faster they are counted.
pub(crate) async fn measure(subject: &Subject, peer: &mut Peer) -> anyhow::Result<Figure> {
    let params = subject.of_days(all_days());
    let statements = all_days().days().map(|day| {
        let params = params
            .clone()
            .with("from", Value::Day(day))
            .with("start", midnight(day));
        statement(OF_A_DAY, &params)
    });
    let statements = statements.collect::<anyhow::Result<Vec<_>>>()?;

    let (ours, _) = subject.answer(QUERY, &params).await?;
    let (mut theirs, mut took) = (Vec::new(), Duration::ZERO);
    for sql in &statements {
        let (rows, of_one) = peer.rows(sql)?;
        theirs.extend(rows);
        took += of_one;
    }
    let theirs = concat_batches(&theirs[0].schema(), &theirs)?;
    expect_same("rolling actives", &ours.batches, &[theirs])?;

    // It takes the peer so long that what was compared is the first floor too.
    let mut compared = Some(took);
    let round = rounds(
        "rolling actives",
        1,
        async || match compared.take() {
            Some(took) => Ok(took),
            None => statements.iter().map(|sql| peer.time(sql)).sum(),
        },
        async || Ok(subject.answer(QUERY, &params).await?.1),
    )
    .await?;
    let (ours, theirs) = (round.product.as_secs_f64(), round.floor.as_secs_f64());
    Ok(Figure {
        what: "rate of counting actives of 1, 7 and 30 days, for 90 days".to_owned(),
        against: "COUNT(DISTINCT) of each window over sessions, DuckDB".to_owned(),
        value: round.rate(),
        unit: "times".to_owned(),
        limit: Limit::AtLeast(TIMES_AT_LEAST),
        seen: format!("{ours:.2} s against {theirs:.2} s"),
    })
}
