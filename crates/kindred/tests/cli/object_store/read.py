"""What a reader finds in a lake in a bucket: python read.py ENDPOINT LAKE, which prints JSON."""

import json
import sys

import polars as pl

endpoint, lake = sys.argv[1:]
store = {
    "aws_endpoint_url": endpoint,
    "aws_access_key_id": "anybody",
    "aws_secret_access_key": "anything",
    "aws_region": "us-east-1",
    "aws_allow_http": "true",
}


def scan(dataset: str) -> pl.LazyFrame:
    return pl.scan_parquet(f"{lake}/{dataset}/", hive_partitioning=True, storage_options=store)


summaries = scan("kpi/daily_kpi_summaries").sort("date")
active = summaries.select(pl.col("date").cast(pl.String), pl.col("total_active_users").cast(pl.Int64)).collect()
sessions = scan("facts/user_sessions").group_by("date").len().sort("date")
sessions = sessions.select(pl.col("date").cast(pl.String), pl.col("len").cast(pl.Int64)).collect()
events = scan("facts/events").filter(pl.col("hour") == 12).select(pl.len()).collect()
print(json.dumps({"active": active.rows(), "sessions": sessions.rows(), "events": events.item()}))
