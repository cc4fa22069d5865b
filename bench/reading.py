"""Reads a contestant's file back: `python -m bench.reading FORMAT FILE` prints how many rows, and their checksum.

What is compared: the id, the five other whole numbers, the tag, the serial number and the name of every row, in order.
Writers differ on purpose in how they write dates, line ends and edge blanks; in what they do with a text that a
spreadsheet would take for a formula; and a client in batch mode writes the text NULL like a missing value. So dates are
left out, white space is folded, and names that begin like a formula or are NULL count as no name.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from python_calamine import CalamineWorkbook

from bench.table import NAMES

NUMBERS = ("id", "status_id", "location_id", "assigned_to", "manufacturer_id", "asset_type_id")
TEXTS = ("asset_tag", "serial_number", "name")
FORMULA = ("=", "+", "-", "@", "'=", "'+", "'-", "'@", "NULL")
ESCAPED = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\0": "\0", "\\\\": "\\"}
CHARACTER = re.compile(r"_x([0-9A-Fa-f]{4})_")


def from_csv(file: Path) -> Iterator[Sequence[Any]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.reader(lines)


def from_headless(file: Path) -> Iterator[Sequence[Any]]:
    yield NAMES
    yield from from_csv(file)


def from_tsv(file: Path) -> Iterator[Sequence[Any]]:
    """What `mariadb --batch` writes."""
    with file.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield [unescape(cell) for cell in line.rstrip("\n").split("\t")]


def unescape(cell: str) -> str:
    if cell == "NULL":
        return ""
    return re.sub(r"\\.", lambda found: ESCAPED.get(found[0], found[0]), cell) if "\\" in cell else cell


def from_json(file: Path) -> Iterator[Sequence[Any]]:
    """One object with `data`, an array of objects, or one object a line."""
    data = file.read_bytes()
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        found = list(map(orjson.loads, data.splitlines()))
    rows = found["data"] if isinstance(found, dict) else found
    yield list(rows[0]) if rows else [*NUMBERS, *TEXTS]
    yield from ([*row.values()] for row in rows)


def from_copy(file: Path) -> Iterator[Sequence[Any]]:
    """JSON objects as COPY's text form has them: a line each, every backslash twice."""
    yield NAMES
    with file.open("rb") as lines:
        for line in lines:
            yield [*orjson.loads(line.replace(b"\\\\", b"\\")).values()]


def from_excel(file: Path) -> Iterator[Sequence[Any]]:
    yield from CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).iter_rows()


READERS = {
    "csv": from_csv,
    "headless": from_headless,
    "tsv": from_tsv,
    "json": from_json,
    "copied": from_copy,
    "excel": from_excel,
}


def number(cell: Any) -> str:
    if cell is None or cell == "":
        return ""
    return cell if isinstance(cell, str) and cell.isdigit() else str(int(float(cell)))


def text(cell: Any) -> str:
    if not cell:
        return ""
    if "_x" in cell:
        cell = CHARACTER.sub(lambda found: chr(int(found[1], 16)), cell)
    return "" if cell.startswith(FORMULA) else " ".join(cell.split())


def content(rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The number of rows below the header, and the checksum."""
    lines = iter(rows)
    header = list(next(lines))
    numbers, texts = [header.index(name) for name in NUMBERS], [header.index(name) for name in TEXTS]
    digest, count = hashlib.blake2b(digest_size=16), 0
    for row in lines:
        cells = [*(number(row[i]) for i in numbers), *(text(row[i]) for i in texts)]
        digest.update("\x1f".join(cells).encode() + b"\x1e")
        count += 1
    return {"rows": count, "digest": digest.hexdigest()}


if __name__ == "__main__":
    print(json.dumps(content(READERS[sys.argv[1]](Path(sys.argv[2])))))
