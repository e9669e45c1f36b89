"""Who was there: sessions, people and what they did."""

from datetime import timedelta

import polars as pl

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def seconds(begin, end):
    """How long what has ended took, at most a day."""
    length = pl.min_horizontal(pl.col(end) - pl.col(begin), pl.lit(DAY))
    return pl.when(pl.col(end) >= pl.col(begin)).then(length.dt.total_microseconds() / 1e6)


def within(frame, column, opens, closes):
    return frame.filter((pl.col(column) >= opens) & (pl.col(column) < closes))


def meets(sessions, opens, closes):
    """Those whose span meets it; none is longer than a day."""
    began = within(sessions, "started_at", opens - DAY, closes)
    return began.filter((pl.col("finish") > opens) | (pl.col("started_at") >= opens))


def spans(sessions):
    """Sessions with what is missing filled in, and where they end."""
    last = pl.min_horizontal(pl.coalesce("ended_at", "last_seen_at"), pl.col("started_at") + DAY)
    told = pl.col("exit_reason").fill_null("unknown")
    reason = pl.when(pl.col("ended_at").is_null()).then(pl.lit("open")).otherwise(told)
    return sessions.select(
        "user_id", "started_at", pl.col("platform", "app_version").fill_null("unknown"),
        finish=pl.max_horizontal("started_at", last), seconds=seconds("started_at", "ended_at"), exit_reason=reason,
    )


def tables(frames, staff, start, now):
    end = start + DAY
    users = frames["users"]
    sessions = frames["sessions"] = spans(frames["sessions"])
    of_day = within(sessions, "started_at", start, end)
    present = frames["present"] = meets(sessions, start, end).unique(["user_id", "platform", "app_version"])
    today = present.select("user_id").unique()
    yesterday = meets(sessions, start - DAY, start).select("user_id").unique()
    return {
        "activity": activity(frames, sessions, of_day, today, users, start, now),
        "lifecycle_daily": lifecycle(today, yesterday, users, start, now),
        "segment_kpi_daily": segments(frames, present, of_day, users, start),
        "session_exits_daily": of_day.group_by("exit_reason").agg(sessions=pl.len()).with_columns(date=start.date()),
        "session_windows": windows(sessions, start),
        "active_user_buckets": buckets(sessions, users, start, now),
    }


def activity(frames, sessions, of_day, today, users, start, now):
    end = start + DAY
    calls = frames["calls"].with_columns(seconds=seconds("started_at", "ended_at"))
    video = calls.filter(pl.col("kind") == "video")
    row = {
        "date": start.date(),
        "total_active_users": today.height,
        "weekly_active_users": meets(sessions, end - 7 * DAY, end)["user_id"].n_unique(),
        "monthly_active_users": meets(sessions, end - 30 * DAY, end)["user_id"].n_unique(),
        "new_registrations": within(users, "created_at", start, end).height,
        "total_sessions": of_day.height,
        "avg_session_duration": of_day["seconds"].mean(),
        "closed_sessions": of_day["seconds"].count(),
        "session_seconds": of_day["seconds"].sum(),
        "total_likes": frames["likes"].height,
        "total_matches": within(frames["matches"], "created_at", start, end).height,
        "total_messages": within(frames["messages"], "created_at", start, end).height,
        "total_interactions": calls.height,
        "total_video_calls": video.height,
        "avg_video_call_duration": video["seconds"].mean(),
        "video_call_minutes": video["seconds"].sum() / 60,
        "total_reports": frames["reports"].height,
        "total_moderation_actions": frames["actions"].height,
        "is_partial": end > now,
    }
    for age in (1, 7, 30):
        cohort = within(users, "created_at", start - age * DAY, end - age * DAY)
        back = cohort.join(today, left_on="id", right_on="user_id", how="semi").height
        row |= {
            f"user_retention_day{age}": back * 100 / cohort.height if cohort.height else None,
            f"retention_day{age}_cohort": cohort.height,
            f"retention_day{age}_returned": back,
        }
    return pl.DataFrame([row])


def lifecycle(today, yesterday, users, start, now):
    born = within(users, "created_at", start, start + DAY)
    new = today.join(born, left_on="user_id", right_on="id", how="semi")
    old = today.join(born, left_on="user_id", right_on="id", how="anti")
    returning = old.join(yesterday, on="user_id", how="semi").height
    return pl.DataFrame([{
        "date": start.date(), "new_active": new.height, "returning": returning, "resurrected": old.height - returning,
        "dormant": yesterday.join(today, on="user_id", how="anti").height, "is_partial": start + DAY > now,
    }])


def segments(frames, present, of_day, users, start):
    """By a value of the session, or by one of the person, who is unknown without a row."""
    end = start + DAY
    people = users.select(user_id="id", country=pl.col("country").fill_null("unknown"),
                          gender=pl.col("gender").fill_null("unknown"))
    payments = frames["payments"]
    revenue = pl.concat([
        within(payments, "paid_at", start, end).select("user_id", revenue="cents"),
        within(payments, "refunded_at", start, end).select("user_id", revenue=-pl.col("refund")),
    ])
    born = within(users, "created_at", start, end).select(
        user_id="id", platform=pl.col("signup_platform").fill_null("unknown"), registered=1)
    entries = pl.concat([
        present.select("user_id", "platform", "app_version", present="user_id"),
        of_day.select("user_id", "platform", "app_version", "seconds", session=1),
        born,
        within(frames["messages"], "created_at", start, end).select(user_id="a", message=1),
        revenue,
    ], how="diagonal").join(people, on="user_id", how="left")
    entries = entries.with_columns(pl.col("country", "gender").fill_null("unknown"))
    parts = []
    for dimension in ("platform", "app_version", "country", "gender"):
        personal = dimension in ("country", "gender")
        parts.append(entries.filter(pl.col(dimension).is_not_null()).group_by(value=dimension).agg(
            active_users=pl.col("present").drop_nulls().n_unique(),
            new_registrations=pl.col("registered").sum() if dimension != "app_version" else pl.lit(None),
            total_sessions=pl.col("session").sum(),
            session_seconds=pl.col("seconds").sum(),
            closed_sessions=pl.col("seconds").count(),
            total_messages=pl.col("message").sum() if personal else pl.lit(None),
            total_revenue=pl.col("revenue").sum() if personal else pl.lit(None),
        ).with_columns(date=start.date(), dimension=pl.lit(dimension)))
    return pl.concat(parts, how="vertical_relaxed")


def windows(sessions, start):
    rows = []
    for length in (7, 30, 90):
        lengths = within(sessions, "started_at", start - (length - 1) * DAY, start + DAY)["seconds"]
        rows.append({
            "as_of": start.date(), "timeframe": f"{length}d",
            "sessions": lengths.len(), "mean_duration": lengths.mean(),
            "median_duration": lengths.quantile(0.5, "linear"), "p90_duration": lengths.quantile(0.9, "linear"),
        })
    return pl.DataFrame(rows)


def buckets(sessions, users, start, now):
    week = start - start.weekday() * DAY
    month = start.replace(day=1)
    quarter = month.replace(month=(start.month - 1) // 3 * 3 + 1)
    spans = [("hourly", start + n * HOUR, start + (n + 1) * HOUR) for n in range(24)]
    spans += [
        ("daily", start, start + DAY),
        ("weekly", week, week + 7 * DAY),
        ("monthly", month, (month + 31 * DAY).replace(day=1)),
        ("quarterly", quarter, (quarter + 93 * DAY).replace(day=1)),
    ]
    return pl.DataFrame([
        {
            "granularity": granularity, "bucket_start": opens, "bucket_end": closes,
            "active_users": meets(sessions, opens, closes)["user_id"].n_unique(),
            "new_registrations": within(users, "created_at", opens, closes).height,
            "total_sessions": within(sessions, "started_at", opens, closes).height,
            "is_partial": closes > now,
        }
        for granularity, opens, closes in spans
    ])
