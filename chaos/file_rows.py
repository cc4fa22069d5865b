"""The rows in a file of the ledger, read by other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from python_calamine import CalamineWorkbook

Row = tuple[int, int, int, str]


def read_csv(data: bytes) -> list[Row]:
    lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return [(int(one["id"]), int(one["account"]), int(one["amount"]), one["note"]) for one in lines]


def read_json(data: bytes) -> list[Row]:
    return [(one["id"], one["account"], one["amount"], one["note"]) for one in json.loads(data)["data"]]


def read_excel(data: bytes) -> list[Row]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [(int(a), int(b), int(c), str(d)) for a, b, c, d in rows[1:]]


READERS: dict[str, Callable[[bytes], list[Row]]] = {"csv": read_csv, "excel": read_excel, "json": read_json}
FORMATS = tuple(READERS)


def read_rows(kind: str, data: bytes) -> list[Row]:
    """All rows of a file, in its order: id, account, amount, note."""
    return READERS[kind](data)
