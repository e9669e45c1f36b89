#!/usr/bin/env python3
"""Runs a notebook on the lake that LAKE names, and writes it with its output.

    LAKE=/var/lib/kindred/lake "$(scripts/venv.sh data)/bin/python" scripts/run-notebook.py NOTEBOOK [OUTPUT]

OUTPUT is the notebook itself by default. Ends with 1 when a cell fails, and writes nothing then.
"""

import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

# The kernel is spoken to through sockets of files, which nobody else may open.
LOCAL = Config({"ConnectionFileMixin": {"transport": "ipc"}})


def main():
    source = sys.argv[1]
    target = sys.argv[2] if len(sys.argv) > 2 else source
    lake = os.environ.get("LAKE", "lake")
    if not os.path.isdir(os.path.join(lake, "kpi")):
        sys.exit(f"run-notebook: {lake} is no lake with figures in it: set LAKE, or start `make demo` first")
    notebook = nbformat.read(source, as_version=4)
    try:
        NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False, config=LOCAL).execute()
    except CellExecutionError as error:
        sys.exit(f"run-notebook: {source}: {error}")
    nbformat.write(notebook, target)
    plots = sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    print(f"{target}: {len(notebook.cells)} cells, {plots} plots")


main()
