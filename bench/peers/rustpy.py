"""rustpy-xlsxwriter: rows as dictionaries, taken one by one by a writer in Rust."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rustpy_xlsxwriter

from bench.peers._rows import naive_rows
from bench.table import NAMES

NAME = "rustpy-xlsxwriter"
USES = ("rustpy-xlsxwriter", "psycopg")


def records(url: str) -> Iterator[dict[str, Any]]:
    return (dict(zip(NAMES, row, strict=True)) for row in naive_rows(url))


def write_csv(url: str, file: Path) -> None:
    rustpy_xlsxwriter.write_csv(records(url), str(file))


def write_excel(url: str, file: Path) -> None:
    rustpy_xlsxwriter.write_worksheet(records(url), str(file), sheet_name="Assets")


FORMATS = {"csv": write_csv, "excel": write_excel}
