"""tablib: a Dataset of psycopg's rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import tablib

from bench.peers._rows import naive_rows, rows
from bench.table import NAMES

NAME = "tablib"
USES = ("tablib", "psycopg", "openpyxl")


def write(format_name: str, url: str, file: Path) -> None:
    read = naive_rows if format_name == "xlsx" else rows
    data = tablib.Dataset(*read(url), headers=NAMES).export(format_name)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())


FORMATS = {"csv": partial(write, "csv"), "excel": partial(write, "xlsx"), "json": partial(write, "json")}
