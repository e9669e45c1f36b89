#!/usr/bin/env python3
"""Runs the examples of a page of the docs, and demands that those below one heading give one answer.

    "$(scripts/venv.sh data)/bin/python" scripts/run-examples.py docs/data.md FOLDER

FOLDER holds `lake`; `kindred` is on PATH. Blocks of SQL are DuckDB's, those of Python leave their rows in `answer`, and
those of sh print CSV. Prints a line for each heading; ends with 1 at the first block that fails or differs.
"""

import contextlib
import csv
import io
import math
import os
import re
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import duckdb

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def cell(value):
    """A value as every tool would print it: numbers are numbers, days are texts, and nothing is None."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or str(value) in ("True", "False", "true", "false"):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return float(f"{float(Decimal(str(value))):.9g}")
    except ArithmeticError:
        return str(value)


def rows(names, values):
    return [list(names)] + [[cell(value) for value in row] for row in values]


def run_sql(text):
    answer = duckdb.sql(text)
    return rows(answer.columns, answer.fetchall())


def run_python(text):
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "<example>", "exec"), names)  # the page's own blocks
    frame = names.get("answer")
    if frame is None:
        return None
    values = frame.rows() if hasattr(frame, "rows") else frame.itertuples(index=False, name=None)
    return rows(frame.columns, values)


def run_sh(text):
    if "kindred query" not in text:
        return None
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{text}\nended with {done.returncode}:\n{done.stderr}")
    lines = list(csv.reader(io.StringIO(done.stdout)))
    return rows(lines[0], lines[1:])


RUN = {"sql": run_sql, "python": run_python, "sh": run_sh}


def main():
    page, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    with open(page, encoding="utf-8") as text:
        sections = re.split(r"^##+ ", text.read(), flags=re.MULTILINE)
    os.chdir(folder)
    compared = 0
    for section in sections:
        heading = section.split("\n", 1)[0]
        answers = [(block, RUN[tool](block)) for tool, block in FENCE.findall(section) if tool in RUN]
        answers = [(block, answer) for block, answer in answers if answer is not None]
        for block, answer in answers:
            if len(answer) < 2:
                sys.exit(f"{heading}: no rows are answered by\n{block}")
            if answer != answers[0][1]:
                sys.exit(f"{heading}:\n{answers[0][1]}\nis answered by\n{answers[0][0]}\nand\n{answer}\nby\n{block}")
        if len(answers) > 1:
            compared += 1
            print(f"{heading}: {len(answers)} ways, {len(answers[0][1]) - 1} rows, one answer")
    if compared == 0:
        sys.exit(f"{page}: nothing was compared")


main()
