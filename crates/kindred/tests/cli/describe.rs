//! `kindred describe`: what the lake holds, in words.

use crate::support::{Kindred, UNREACHABLE, home};

#[tokio::test]
async fn tables_and_columns_are_told_with_types_and_units_whatever_the_settings_are() {
    let home = home();
    let kindred = Kindred::new(home.path())
        .with("DATABASE_URL", UNREACHABLE)
        .with("API_PORT", "no port");
    let all = kindred.run(&["describe"]).await.expect(0);
    all.says(&[
        "Facts\n",
        "Figures\n",
        "States\n",
        "  user_sessions ",
        "  daily_kpi_summaries ",
    ]);

    let one = kindred.run(&["describe", "daily_kpi_summaries"]).await.expect(0);
    one.says(&[
        "One row is a day.",
        "kpi/daily_kpi_summaries/date=*/part-0.parquet",
        "sorted by date",
        "DECIMAL(20, 2)",
        "seconds: `session_seconds / closed_sessions`; null when none has ended",
    ]);
    let events = kindred.run(&["describe", "events"]).await.expect(0);
    events.says(&["facts/events/date=*/hour=*/part-0.parquet", "TIMESTAMP(µs, UTC)"]);

    let unknown = kindred.run(&["describe", "figures"]).await.expect(2);
    unknown.complains(&["no table `figures`", "kindred describe"]);
}
