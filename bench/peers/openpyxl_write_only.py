"""openpyxl in its write-only mode."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook

from bench.peers._rows import naive_rows
from bench.table import NAMES

NAME = "openpyxl, write-only"
USES = ("openpyxl", "psycopg")


def write_excel(url: str, file: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Assets")
    sheet.append(NAMES)
    for row in naive_rows(url):
        sheet.append(row)
    book.save(file)


FORMATS = {"excel": write_excel}
