"""Rows with a delimiter between the cells, by the rules of RFC 4180: what CSV and TSV are made of.

Cells of text are always quoted; numbers, dates and booleans never. So NULL (an empty cell) and empty text (`""`) stay
apart, and doubling the quotes is all that has to be done to cells.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Any

from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, CellBlock, join_cells, split
from rowferry.exports.encoding.pushdown import CsvRows
from rowferry.exports.encoding.row_count import RowCount
from rowferry.exports.encoding.value_types import FORMULA_STARTS, NUMBERS, ValueType

if TYPE_CHECKING:
    from rowferry.exports.formats import FormatColumn

BARE = NUMBERS | {ValueType.BOOLEAN, ValueType.DATE, ValueType.INSTANT}
"""Kinds whose text never holds a delimiter, a quote or a line break."""
LINE_END = b"\r\n"
FORMULA = re.compile(rb"[=+@\t\r]|-(?![\w:. -]*(?:e\+\d+)?\Z)")
"""What a spreadsheet would calculate, at the start of a value that is not valid. A word, a time and a number may begin
with a minus sign."""


class DelimitedEncoder:
    """The lines of one file. The engine has guarded cells of text in SQL; titles and what is not valid are guarded
    here."""

    def __init__(self, columns: Sequence[FormatColumn], delimiter: str, *, guard: bool) -> None:
        self._delimiter = delimiter
        self._guard = guard
        self._width = len(columns)
        self._bare = [index for index, column in enumerate(columns) if column.kind in BARE]
        quoted = tuple(column.kind not in BARE for column in columns)
        self.pushdown = CsvRows(delimiter, quoted, guard) if len(columns) > 1 else None
        """None where a database would write a lone NULL as a line with nothing on it."""
        line = delimiter.encode().join(map(slot, columns)) + LINE_END
        self._first, *between, self._last = line.split(CELL)
        self._literals = [self._last + self._first, *between]
        # A line with nothing on it is no row to most readers, so a lone NULL is written like empty text.
        self._null = b'""' if self._width == 1 else b""

    def header(self, titles: Sequence[str]) -> bytes:
        """The line of the titles."""
        if self._guard:
            titles = ["'" + title if title.startswith(FORMULA_STARTS) else title for title in titles]
        line = io.StringIO()
        csv.writer(line, delimiter=self._delimiter).writerow(titles)
        return line.getvalue().encode()

    def rows(self, block: CellBlock) -> bytes:
        """The lines of a block that is not empty."""
        cells = split(block.data.replace(b'"', b'""'), block.rows, self._width)
        if IRREGULAR in block.data:
            cells = self._with_irregular_texts(cells)
        lines = join_cells(cells, self._literals, self._first, self._last)
        return self._without_nulls(lines) if NULL in lines else lines

    def _with_irregular_texts(self, cells: list[bytes]) -> list[bytes]:
        """The cells with quotes around values that are not valid in columns that have none."""
        bare = set(self._bare)
        return [
            write_irregular(cell[1:], guard=self._guard, quoted=index % self._width in bare)
            if cell[:1] == IRREGULAR
            else cell
            for index, cell in enumerate(cells)
        ]

    def _without_nulls(self, lines: bytes) -> bytes:
        """An empty cell for each mark; stripping the quotes beside it beats a search for all three bytes."""
        first, *others = lines.split(NULL)
        return self._null.join([first.rstrip(b'"'), *map(bytes.strip, others, repeat(b'"'))])


def write_irregular(text: bytes, *, guard: bool, quoted: bool = True) -> bytes:
    """A value that is not valid for its column as a cell of text; its quotes are doubled already."""
    if guard and FORMULA.match(text):
        text = b"'" + text
    return b'"' + text + b'"' if quoted else text


def slot(column: FormatColumn) -> bytes:
    """Where a cell of this column goes, with its quotes."""
    return CELL if column.kind in BARE else b'"' + CELL + b'"'


def count_delimited(file: Any, delimiter: str) -> RowCount:
    """The rows behind the header of a file with this delimiter, read by Python's csv module."""
    lines = csv.reader(io.TextIOWrapper(io.BufferedReader(file), "utf-8-sig", newline=""), delimiter=delimiter)
    with _unlimited_fields():
        columns = next(lines)
        return RowCount(sum(1 for _ in lines), columns)


@contextmanager
def _unlimited_fields() -> Iterator[None]:
    """Fields of any length, and afterwards the limit as it was: the csv module has one for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
