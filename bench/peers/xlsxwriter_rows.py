"""XlsxWriter in constant memory."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from bench.peers._rows import naive_rows
from bench.table import NAMES

NAME = "XlsxWriter, constant memory"
USES = ("XlsxWriter", "psycopg")
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def write_excel(url: str, file: Path) -> None:
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        styles = {date: book.add_format({"num_format": "yyyy-mm-dd"})}
        styles[datetime] = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = book.add_worksheet("Assets")
        sheet.write_row(0, 0, NAMES)
        for number, row in enumerate(naive_rows(url), 1):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell, styles.get(type(cell)))


FORMATS = {"excel": write_excel}
