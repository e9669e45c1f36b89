//! The onboarding funnel against plain PostgreSQL over the raw rows, its state built in two parts.

use kindred_engine::{Params, Rows, Value};
use kindred_jobs::funnels::FunnelSpec;
use kindred_model::Fact;
use kindred_warehouse::{CONVERSION_FUNNELS, FUNNEL_WINDOWS, SummaryTable};

use super::bench::{Bench, window};
use super::{FROM, TO, population};

const FACTS: [Fact; 7] = [
    Fact::Users,
    Fact::UserSessions,
    Fact::Payments,
    Fact::Swipes,
    Fact::Matches,
    Fact::Messages,
    Fact::Events,
];

/// The parts of the history in which the state is built, one after the other.
const PARTS: [(&str, &str); 2] = [("2020-01-01", "2026-01-20"), ("2026-01-20", "2030-01-01")];

#[tokio::test(flavor = "multi_thread")]
async fn the_onboarding_funnel_is_what_plain_sql_finds_in_the_raw_rows() {
    let bench = Bench::new(&[include_str!("dirt.sql"), include_str!("views.sql")], &FACTS).await;
    let internal = bench.query("state/internal_users", &Params::default()).await;
    bench.keep("internal_users", &internal);
    keep_state(&bench, "state/aliases", "anonymous_key").await;
    keep_state(&bench, "state/first_moments", "kind, user_key, anonymous_key").await;

    let funnel = FunnelSpec::onboarding(14);
    bench.keep("funnel_steps", &funnel.step_rows());
    let people = bench
        .query("funnel/funnel_people", &params(&funnel, "2020-01-01", TO))
        .await;
    bench.keep("funnel_people", &people);
    let queries: [(_, &SummaryTable, _); 2] = [
        (
            "funnel/conversion_funnels",
            &CONVERSION_FUNNELS,
            include_str!("conversion_funnels.sql"),
        ),
        (
            "funnel/funnel_windows",
            &FUNNEL_WINDOWS,
            include_str!("funnel_windows.sql"),
        ),
    ];
    for (query, table, sql) in queries {
        let rows = bench.query(query, &params(&funnel, FROM, TO)).await;
        bench.keep(table.name, &rows);
        let sql = sql
            .replace("{from}", &format!("date '{FROM}'"))
            .replace("{to}", &format!("date '{TO}'"))
            .replace("{as_of}", &format!("timestamptz '{}'", population().until.to_rfc3339()));
        let compared = bench.compare(table, &rows, &sql).await;
        assert!(
            compared > 8_000,
            "only {compared} cells of {} were compared",
            table.name
        );
    }
    let violations = bench.query("quality/funnel_identities", &Params::default()).await;
    assert!(violations.is_empty(), "{violations:?}");
    let deep = bench
        .sql("select 1 from conversion_funnels where step_order = 8 and total_users > 0")
        .await;
    assert!(
        deep.len() > 5,
        "only {} days on which somebody came to the end",
        deep.len()
    );
}

fn params(funnel: &FunnelSpec, from: &str, to: &str) -> Params {
    let days = window(from, to);
    let day = |name| days.get(name).cloned().unwrap();
    funnel
        .params()
        .with("from", day("from"))
        .with("to", day("to"))
        .with("as_of", Value::Instant(Some(population().until)))
        .with("currency", Value::Text("USD".to_owned()))
}

/// Builds state part by part, each knowing what is earlier by these columns.
async fn keep_state(bench: &Bench, query: &str, earlier: &str) {
    let name = query.trim_start_matches("state/");
    let mut known: Option<Rows> = None;
    for (from, to) in PARTS {
        let params = window(from, to).with("currency", Value::Text("USD".to_owned()));
        // Nothing is earlier than the first part: an answer without its rows has the columns.
        let before = match &known {
            Some(rows) => rows.clone(),
            None => {
                let keys = "arrow_cast(null, 'Int64') as user_key, arrow_cast(null, 'Int64') as anonymous_key";
                bench.sql(&format!("select '' as kind, {keys} where false")).await
            }
        };
        bench.keep(name, &before);
        bench.keep("earlier", &bench.sql(&format!("select {earlier} from {name}")).await);
        let mut rows = bench.query(query, &params).await;
        if let Some(known) = known {
            rows.batches.extend(known.batches);
        }
        known = Some(rows);
    }
    bench.keep(name, &known.expect("there are parts"));
}
