"""The way from the first app_open to the first purchase, of those who entered in the last 103 days."""

from datetime import timedelta

import polars as pl

DAY = timedelta(days=1)
WINDOW = 14 * DAY
STEPS = [
    "app_open", "registration_start", "registration_complete", "first_session", "first_match", "first_message",
    "subscription_view", "subscription_purchase",
]


def moments(frames, staff):
    """Who did what a step asks for, and when: a frame a step."""
    owners = frames["owners"].sort("at").unique("anonymous_id", keep="first").select("anonymous_id", "owner")
    events = (
        frames["events"].join(owners, on="anonymous_id", how="left")
        .select("event_name", "at", person=pl.coalesce("user_id", "owner", "anonymous_id"))
        .filter(pl.col("person").is_not_null() & ~pl.col("person").is_in(staff))
    )

    def named(name):
        return events.filter(pl.col("event_name") == name).select("person", "at")

    matches, payments = frames["matches"], frames["payments"]
    return [
        named("app_open"),
        named("registration_start"),
        frames["users"].select(person="id", at="created_at"),
        frames["sessions"].select(person="user_id", at="started_at"),
        pl.concat([matches.select(person=side, at="created_at") for side in ("a", "b")]),
        frames["messages"].select(person="a", at="created_at"),
        named("subscription_view"),
        payments.filter(pl.col("kind") == "initial").select(person="user_id", at="paid_at"),
    ]


def walk(first, others, start):
    """A row a person and step that was reached, with the seconds to the next."""
    reached = first.group_by("person").agg(entered=pl.col("at").min()).with_columns(at="entered")
    reached = reached.filter((pl.col("entered") >= start - 103 * DAY) & (pl.col("entered") < start + DAY))
    steps = [reached]
    for moments in others:
        reached = (
            moments.join(reached.select("person", "entered", last="at"), on="person")
            .filter((pl.col("at") >= pl.col("last")) & (pl.col("at") <= pl.col("entered") + WINDOW))
            .group_by("person").agg(pl.col("entered").first(), pl.col("at").min())
        )
        steps.append(reached)
    rows = []
    for n, step in enumerate(steps):
        later = steps[n + 1] if n + 1 < len(steps) else step.clear()
        length = (pl.col("next") - pl.col("at")).dt.total_microseconds() / 1e6
        rows.append(
            step.join(later.select("person", next="at"), on="person", how="left")
            .select(step_order=n + 1, day=pl.col("entered").dt.date(), seconds=length)
        )
    return pl.concat(rows)


def summed(rows, *keys):
    return rows.group_by(*keys, "step_order").agg(
        total_users=pl.len(),
        converted_users=pl.col("seconds").count(),
        avg_time_to_convert=pl.col("seconds").mean(),
        median_time_to_convert=pl.col("seconds").quantile(0.5, "linear"),
        p90_time_to_convert=pl.col("seconds").quantile(0.9, "linear"),
    )


def filled(grid, rows, *keys):
    """Every row of a grid, at zero where nobody came; the last step leads nowhere."""
    is_last = pl.col("step_order") == len(STEPS)
    rows = grid.join(rows, on=[*keys, "step_order"], how="left")
    rows = rows.with_columns(pl.col("total_users", "converted_users").fill_null(0), funnel_name=pl.lit("onboarding"))
    return rows.with_columns(converted_users=pl.when(~is_last).then("converted_users"))


def tables(frames, staff, start, now):
    first, *others = moments(frames, staff)
    rows = walk(first, others, start)
    days = pl.DataFrame({"as_of": [(start - n * DAY).date() for n in range(14)]})
    steps = pl.DataFrame({"step_order": range(1, len(STEPS) + 1), "funnel_step": STEPS})
    steps = steps.with_columns(pl.col("step_order").cast(pl.Int32))

    grid = days.select(day="as_of").join(steps, how="cross")
    daily = filled(grid, summed(rows, "day"), "day").with_columns(
        conversion_rate=pl.when((pl.col("total_users") > 0) & pl.col("converted_users").is_not_null())
        .then(pl.col("converted_users") * 100 / pl.col("total_users")),
        is_mature=pl.col("day").cast(pl.Datetime("us", "UTC")) + DAY + WINDOW <= now,
    ).rename({"day": "date"})

    lengths = days.join(pl.DataFrame({"length": [7, 30, 90]}), how="cross").with_columns(
        timeframe=pl.format("{}d", "length"), since=pl.col("as_of") - pl.duration(days=pl.col("length") - 1),
    )
    entries = rows.join_where(lengths, pl.col("day") >= pl.col("since"), pl.col("day") <= pl.col("as_of"))
    grid = lengths.select("as_of", "timeframe").join(steps.select("step_order"), how="cross")
    windows = filled(grid, summed(entries, "as_of", "timeframe"), "as_of", "timeframe")
    return {"conversion_funnels": daily, "funnel_windows": windows}
