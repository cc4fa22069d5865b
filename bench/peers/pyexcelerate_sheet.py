"""PyExcelerate: the whole sheet as a list of rows, which is how it is fast."""

from __future__ import annotations

from pathlib import Path

from pyexcelerate import Workbook

from bench.peers._rows import naive_rows
from bench.table import NAMES

NAME = "PyExcelerate"
USES = ("PyExcelerate", "psycopg")


def write_excel(url: str, file: Path) -> None:
    book = Workbook()
    book.new_sheet("Assets", data=[NAMES, *naive_rows(url)])
    book.save(str(file))


FORMATS = {"excel": write_excel}
