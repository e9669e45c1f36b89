"""Payments and subscriptions. Money is in cents, recurring money in millionths."""

from datetime import timedelta

import polars as pl

from night_activity import within

DAY = timedelta(days=1)

# Months of a billing interval, or of a plan's suffix, as a fraction.
MONTHS = {
    "week": (12, 52), "weekly": (12, 52), "month": (1, 1), "monthly": (1, 1), "quarter": (3, 1), "quarterly": (3, 1),
    "half_year": (6, 1), "semiannual": (6, 1), "year": (12, 1), "annual": (12, 1), "yearly": (12, 1),
}


def subscribed(subscriptions, purchases):
    """Subscriptions with what they bring a month, and when they were first paid."""
    interval = pl.coalesce("billing_interval", pl.col("plan").str.extract("_([a-z]+)$"))
    months = pl.DataFrame(
        {"interval": list(MONTHS), "of": [of for of, _ in MONTHS.values()], "per": [per for _, per in MONTHS.values()]}
    )
    paid = purchases.group_by(id="subscription_id").agg(pl.col("paid_at").min())
    # Rounded half away; no price is below zero.
    monthly = (pl.col("cents") * 10_000 * pl.col("per") * 2 + pl.col("of")) // (pl.col("of") * 2)
    return (
        subscriptions.with_columns(interval=interval)
        .join(months, on="interval", how="left")
        .with_columns(pl.col("of", "per").fill_null(1))
        .with_columns(monthly=monthly)
        .join(paid, on="id", how="left")
    )


def runs(at):
    """Whether a subscription is running."""
    return (pl.col("paid_at") < at) & (pl.col("ended_at").is_null() | (pl.col("ended_at") >= at))


def both(frame):
    """Every row once for its plan and once for all of them."""
    return pl.concat([frame, frame.with_columns(plan=pl.lit("all"))])


def tables(frames, staff, start, now):
    payments = frames["payments"]
    purchases = payments.filter(pl.col("kind") == "initial")
    plans = subscribed(frames["subscriptions"], purchases)
    return {
        "money": of_day(frames, payments, purchases, plans, start),
        "revenue_metrics": revenue(payments, plans, start, now),
        "mrr_movements_daily": movements(plans, start),
    }


def of_day(frames, payments, purchases, plans, start):
    end = start + DAY
    paid, refunded = within(payments, "paid_at", start, end), within(payments, "refunded_at", start, end)
    firsts = within(purchases.group_by("user_id").agg(pl.col("paid_at").min()), "paid_at", start, end)
    chances = frames["present"].select("user_id").unique().join(plans.filter(runs(start)), on="user_id", how="anti")
    converted = chances.join(firsts, on="user_id", how="semi").height
    gross, refunds = paid["cents"].sum(), refunded["refund"].sum()
    return pl.DataFrame([{
        "gross_revenue": gross, "refunds": refunds, "total_revenue": gross - refunds,
        "subscription_purchases": paid.filter(pl.col("kind") == "initial").height, "first_subscriptions": firsts.height,
        "active_non_subscribers": chances.height, "converted_non_subscribers": converted,
        "conversion_to_subscription": converted * 100 / chances.height if chances.height else None,
    }])


def revenue(payments, plans, start, now):
    end = start + DAY
    named = pl.col("plan").fill_null("unknown")
    plan = pl.when(pl.col("kind") == "one_off").then(pl.lit("one_off")).otherwise(named)
    money = both(
        payments.join(plans.select("id", "plan"), left_on="subscription_id", right_on="id", how="left")
        .with_columns(plan=plan)
    )
    plans = both(plans)
    bought = money.filter(pl.col("kind") == "initial").group_by("plan").agg(since=pl.col("paid_at").min().dt.date())
    named = pl.concat([
        pl.DataFrame({"plan": ["all"]}),
        plans.filter(pl.col("started_at") < end).select("plan"),
        money.filter(pl.col("paid_at") < end).select("plan"),
    ]).unique().join(bought, on="plan", how="left")

    # The lifetime value looks back on 180 days, or to the plan's first purchase.
    midnights = pl.DataFrame({"start": [start - n * DAY for n in range(-1, 180)]})
    midnights = midnights.with_columns(pl.col("start").cast(plans.schema["paid_at"]))
    standing = (
        plans.filter(pl.col("paid_at").is_not_null()).select("plan", "monthly", "paid_at", "ended_at")
        .join(midnights, how="cross")
        .group_by("plan", "start").agg(
            running=runs(pl.col("start")).sum(),
            mrr=pl.col("monthly").filter(runs(pl.col("start"))).sum(),
            churned=((pl.col("ended_at") >= pl.col("start")) & (pl.col("ended_at") < pl.col("start") + DAY)).sum(),
        )
        .with_columns(day=pl.col("start").dt.date())
    )
    past = (
        standing.filter(pl.col("day") <= start.date()).join(named, on="plan")
        .filter(pl.col("day") >= pl.col("since"))
        .group_by("plan").agg(days=pl.len(), past_churned=pl.col("churned").sum(), past_active=pl.col("running").sum())
    )

    def of(day, **columns):
        return standing.filter(pl.col("day") == day).select("plan", **columns)

    def flow(column, **columns):
        return within(money, column, start, end).group_by("plan").agg(**columns)

    rows = named
    for part in (
        flow("paid_at", new_subscriptions=(pl.col("kind") == "initial").sum(),
             renewed_subscriptions=(pl.col("kind") == "renewal").sum(), gross_revenue=pl.col("cents").sum()),
        flow("refunded_at", refunds=pl.col("refund").sum()),
        within(plans, "canceled_at", start, end).group_by("plan").agg(canceled_subscriptions=pl.len()),
        of(start.date(), active_at_start="running", churned_subscriptions="churned"),
        of(end.date(), active_at_end="running", monthly_recurring_revenue="mrr"),
        past,
    ):
        rows = rows.join(part, on="plan", how="left")
    rows = rows.with_columns(pl.exclude("plan", "since", "days", "past_churned", "past_active").fill_null(0))
    churned, active = pl.col("past_churned"), pl.col("past_active")
    is_known = (pl.col("days") >= 28) & (churned > 0) & (active > 0) & (pl.col("active_at_end") > 0)
    each = pl.col("monthly_recurring_revenue") / 1e6 / pl.col("active_at_end")
    rate = 100 * pl.col("churned_subscriptions") / pl.col("active_at_start")
    return rows.with_columns(
        date=start.date(), subscription_plan="plan",
        total_revenue=pl.col("gross_revenue") - pl.col("refunds"),
        annual_recurring_revenue=pl.col("monthly_recurring_revenue") * 12,
        customer_lifetime_value=pl.when(is_known).then(each / (30.4375 * churned / active)),
        churn_rate=pl.when(pl.col("active_at_start") > 0).then(rate),
        is_partial=end > now,
    ).drop("plan", "since", "days", "past_churned", "past_active")


def movements(plans, start):
    end = start + DAY
    m0, m1, had = pl.col("m0"), pl.col("m1"), pl.col("had_before")
    # Ran at the first midnight after it was paid, which was this day's first or an earlier one.
    first = pl.col("paid_at").dt.truncate("1d") + DAY
    before = (pl.col("monthly") > 0) & (first <= start) & (pl.col("ended_at").is_null() | (first <= pl.col("ended_at")))
    people = plans.filter(pl.col("paid_at").is_not_null()).group_by("user_id").agg(
        m0=pl.col("monthly").filter(runs(start)).sum(), m1=pl.col("monthly").filter(runs(end)).sum(),
        had_before=before.any(),
    )
    return people.select(
        date=start.date(),
        opening_mrr=m0.sum(),
        new=m1.filter((m0 == 0) & ~had).sum(),
        reactivation=m1.filter((m0 == 0) & had).sum(),
        expansion=(m1 - m0).filter((m0 > 0) & (m1 > m0)).sum(),
        contraction=(m0 - m1).filter((m1 > 0) & (m0 > m1)).sum(),
        churn=m0.filter((m0 > 0) & (m1 == 0)).sum(),
        closing_mrr=m1.sum(),
    )
