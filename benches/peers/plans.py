"""DuckDB over a lake, for whoever asks on standard input: plans.py LAKE THREADS

A question is a line of JSON, its SQL and where to keep the rows, if anywhere; so is the answer, the seconds that it
took until all rows were there as Arrow.
"""

import json
import pathlib
import sys
import time

import duckdb
import pyarrow as pa


def view(connection, folder):
    """Makes a dataset readable under its name. Instants without a zone are the faster ones, and all of them are UTC."""
    types = "'date': date, 'hour': int" if any(folder.glob("*/hour=*")) else "'date': date"
    files = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, hive_types = {{{types}}})"
    columns = connection.execute(f"describe select * from {files}").fetchall()
    instants = [name for name, kind, *_ in columns if kind == "TIMESTAMP WITH TIME ZONE"]
    plain = ", ".join(f'make_timestamp(epoch_us("{name}")) as "{name}"' for name in instants)
    replace = f"replace ({plain})" if plain else ""
    connection.execute(f"create view {folder.name} as select * {replace} from {files}")


def main(lake, threads):
    connection = duckdb.connect(config={"threads": threads, "arrow_lossless_conversion": True})
    connection.execute("set enable_progress_bar = false")
    connection.execute("set parquet_metadata_cache = true")
    for folder in sorted([*lake.glob("facts/*"), *lake.glob("state/*")]):
        view(connection, folder)
    connection.execute("create table internal_users as select distinct user_key from users where is_internal")
    connection.execute(
        """create table first_purchases as
        select user_key, min(paid_at) as paid_at
        from payments anti join internal_users using (user_key)
        where kind = 'initial' and status in ('succeeded', 'refunded') and currency = 'USD'
        group by user_key"""
    )
    for line in sys.stdin:
        question = json.loads(line)
        began = time.perf_counter()
        try:
            rows = connection.sql(question["sql"]).to_arrow_table()
            answer = {"seconds": time.perf_counter() - began}
            if question["keep"]:
                with pa.OSFile(question["keep"], "wb") as sink, pa.ipc.new_file(sink, rows.schema) as file:
                    file.write_table(rows)
        except duckdb.Error as error:
            answer = {"seconds": 0, "error": str(error)}
        print(json.dumps(answer), flush=True)


main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
