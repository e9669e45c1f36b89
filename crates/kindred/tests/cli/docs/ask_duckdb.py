"""What DuckDB answers to the statements on standard input: columns and rows, a line each. A question must have an answer."""

import sys

import duckdb

sql = sys.stdin.read()
last = duckdb.extract_statements(sql)[-1]
answer = duckdb.connect(sys.argv[1]).execute(sql)
rows = answer.fetchall()
if last.type == duckdb.StatementType.SELECT:
    if not rows:
        sys.exit("no rows")
    print("|".join(column[0] for column in answer.description))
    for row in rows:
        print("|".join(map(str, row)))
