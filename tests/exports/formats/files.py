"""Files made by sinks, and readers that others wrote."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import openpyxl
import pyarrow.parquet
import python_calamine
from hypothesis import strategies as st

from rowferry.exports.encoding.blocks import CELL, NULL, CellBlock
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FileHeader, FormatColumn, FormatWriter

WHEN = datetime(2025, 10, 30, 14, 15, 7, tzinfo=UTC)
Row = Sequence[str | bytes | None]

HOSTILE = (
    "",
    " ",
    " edges ",
    "\ttab",
    "line\r\nbreak\n",
    "\r",
    '"quoted", and; more | \'',
    "\x00",
    "".join(map(chr, range(0x20))),
    "\x1f\x01\x7f\x85\u2028",
    "\\N \\u0041 \\",
    "=1+1",
    "@SUM(A1)",
    "007",
    "1e5",
    "_x0041_",
    "_x005F_x0041_x000D_",
    "<b>&amp;]]></b>",
    "crème 🚀 日本語",
    "\ufffd\ufffe\uffff",
    "null",
    "NaN",
)
hostile_text = st.sampled_from(HOSTILE) | st.text(max_size=20)
"""What people type, paste and try; valid Unicode without lone surrogates, as databases hold it."""


class WriteOnlyStream:
    """A stream that can do nothing but take bytes."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    @property
    def data(self) -> bytes:
        return b"".join(self.writes)


@dataclass
class WrittenFile:
    data: bytes
    writer: FormatWriter
    writes: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.data.decode()


def columns(*kinds: ValueType) -> tuple[FormatColumn, ...]:
    """Columns c0, c1, … of these kinds."""
    return tuple(FormatColumn(f"c{index}", f"Column {index}", kind) for index, kind in enumerate(kinds))


def order_for(writer_class: type[FormatWriter], of: tuple[FormatColumn, ...], **facts: Any) -> FileHeader:
    known: dict[str, Any] = {"resource_label": "Assets", "exported_at": WHEN, "item_count": None} | facts
    return FileHeader(export_id="5f0c", resource="assets", format=writer_class.name, columns=of, **known)


def block(rows: Sequence[Row]) -> CellBlock:
    cells = [
        NULL if value is None else value.encode() if isinstance(value, str) else value for row in rows for value in row
    ]
    return CellBlock(CELL.join(cells), len(rows))


def blocks(rows: Sequence[Row], size: int) -> Iterator[CellBlock]:
    for start in range(0, len(rows), size):
        yield block(rows[start : start + size])


def make(
    writer_class: type[FormatWriter], of: tuple[FormatColumn, ...], rows: Sequence[Row], size: int = 2000, **facts: Any
) -> WrittenFile:
    """The file of these rows, given to the sink in blocks of `size`."""
    tape = WriteOnlyStream()
    writer = writer_class(order_for(writer_class, of, **facts), tape)
    writer.open()
    for part in blocks(rows, size):
        writer.write(part)
    writer.close()
    return WrittenFile(tape.data, writer, tape.writes)


def csv_rows(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """Rows without the header."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter, strict=True))[1:]


def json_rows(data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(data, parse_constant=refuse)["data"]
    return rows


def ndjson_rows(data: bytes) -> list[dict[str, Any]]:
    """A row for each line feed: a line break in a value would make one too many, and no JSON."""
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    return [json.loads(line, parse_constant=refuse) for line in lines]


def parquet_rows(data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    return rows


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def workbook(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def excel_rows(data: bytes, sheet: int = 0) -> list[list[Any]]:
    """Rows without the header, as openpyxl reads them and Excel would: openpyxl leaves `_xHHHH_` to its caller."""
    return [
        [unescape(value) for value in row] for row in workbook(data).worksheets[sheet].iter_rows(2, values_only=True)
    ]


def unescape(value: Any) -> Any:
    """ST_Xstring of ECMA-376, 22.9.2.19."""
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda escape: chr(int(escape[1], 16)), value)


def calamine_rows(data: bytes, sheet: int = 0) -> list[list[Any]]:
    """Rows without the header, as calamine reads them; it knows no difference between nothing and empty text."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    return book.get_sheet_by_index(sheet).to_python(skip_empty_area=False)[1:]


def in_excel(text: str) -> str:
    """What the contract says becomes of a text in Excel."""
    legal = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)
    return legal.encode("utf-16-le")[: 2 * 32_767].decode("utf-16-le", "ignore")


READERS: dict[str, Callable[[bytes], list[Any]]] = {
    "csv": csv_rows,
    "excel": excel_rows,
    "json": json_rows,
    "ndjson": ndjson_rows,
    "parquet": parquet_rows,
    "tsv": partial(csv_rows, delimiter="\t"),
}
"""A format that is added brings its reader here, and has passed the conformance suite when that is green."""
