"""The daily figures by Polars, over what ConnectorX reads from the sources: `night.py URL DAY FOLDER`.

Writes a CSV file a table into FOLDER, and prints the seconds that all of it took after the imports. The script keeps no
state: what needs history is read as far back as that reaches, by the columns that are needed, with predicates (and the
first sight of every device) left to PostgreSQL. Money is counted in cents, recurring money in millionths.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import connectorx
import polars as pl

import night_activity
import night_funnel
import night_money

DAY = timedelta(days=1)

# Which columns of the tables are money, and by how many digits they are shifted.
SHIFTS = {
    "gross_revenue": 2, "refunds": 2, "total_revenue": 2, "monthly_recurring_revenue": 6, "annual_recurring_revenue": 6,
    "opening_mrr": 6, "new": 6, "reactivation": 6, "expansion": 6, "contraction": 6, "churn": 6, "closing_mrr": 6,
}


def queries(start):
    """What is read of the night that begins at `start`, by name."""
    def day(column):
        return f"{column} >= '{start}' and {column} < '{start + DAY}'"

    # The funnels of 90 entry dates that end with each of the last 14; sessions also of the quarter, and a day before.
    since = start - 103 * DAY
    at = "case when event_time > received_at + interval '24 hours' then received_at else event_time end"
    return {
        "users": "select id, created_at, country, gender, signup_platform, is_internal from users",
        "sessions": "select user_id, platform, app_version, started_at, last_seen_at, ended_at, exit_reason "
                    f"from user_sessions where started_at >= '{since - DAY}'",
        "subscriptions": "select id, user_id, plan, billing_interval, (price * 100)::bigint as cents, started_at, "
                         "canceled_at, ended_at from subscriptions where currency = 'USD'",
        "payments": "select user_id, subscription_id, kind, (amount * 100)::bigint as cents, paid_at, refunded_at, "
                    "(coalesce(refunded_amount, amount) * 100)::bigint as refund "
                    "from payments where status <> 'failed' and currency = 'USD'",
        "likes": f"select user_id as a, target_user_id as b from swipes where {day('created_at')} "
                 "and action in ('like', 'super_like')",
        "matches": f"select user_a_id as a, user_b_id as b, created_at from matches where created_at >= '{since}'",
        "messages": f"select sender_id as a, recipient_id as b, created_at from messages where created_at >= '{since}'",
        "calls": "select initiator_id as a, partner_id as b, kind, started_at, ended_at from interactions "
                 f"where {day('started_at')}",
        "reports": f"select reporter_id as a, reported_user_id as b from reports where {day('created_at')}",
        "actions": f"select user_id as a from moderation_actions where {day('created_at')}",
        "events": f"select user_id, anonymous_id, event_name, {at} as at from behavior_events "
                  "where event_name in ('app_open', 'registration_start', 'subscription_view')",
        "owners": f"select anonymous_id, user_id as owner, min({at}) as at from behavior_events "
                  "where user_id is not null and anonymous_id is not null group by 1, 2",
    }


def read(url, start):
    """All of it, some queries at a time, without the rows in which staff takes part."""
    def one(query):
        return connectorx.read_sql(url, query, return_type="polars")

    named = queries(start)
    with ThreadPoolExecutor(4) as pool:
        frames = dict(zip(named, pool.map(one, named.values())))
    staff = frames["users"].filter("is_internal")["id"].implode()
    for name, frame in frames.items():
        people = [column for column in ("a", "b", "user_id") if column in frame.columns and name != "events"]
        if people:
            frames[name] = frame.filter(~pl.any_horizontal(pl.col(people).is_in(staff)))
    frames["users"] = frames["users"].filter(~pl.col("is_internal"))
    return frames, staff


def write(folder, name, frame):
    """A table as CSV, its money as exact decimals."""
    money = [column for column in SHIFTS if column in frame.columns]
    exact = [
        pl.col(column).map_elements(lambda cell, by=SHIFTS[column]: f"{Decimal(cell).scaleb(-by):f}", pl.String)
        for column in money
    ]
    frame.with_columns(exact).write_csv(folder / f"{name}.csv")


def main():
    began = time.perf_counter()
    url, day, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    start = datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
    now = datetime.now(timezone.utc)
    frames, staff = read(url, start)
    tables = {}
    for part in (night_activity, night_money, night_funnel):
        tables |= part.tables(frames, staff, start, now)
    # The key figures of the day are of two parts.
    tables["daily_kpi_summaries"] = pl.concat([tables.pop("activity"), tables.pop("money")], how="horizontal")
    for name, frame in tables.items():
        write(folder, name, frame)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
