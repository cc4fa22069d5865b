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
from rowferry.exports.encoding.value_types import FORMULA_STARTS, NUMBERS, STRICT, ValueType

if TYPE_CHECKING:
    from rowferry.exports.formats import FormatColumn

BARE = NUMBERS | {ValueType.BOOLEAN, ValueType.DATE, ValueType.INSTANT}
"""Kinds whose text never holds a delimiter, a quote or a line break."""
LINE_END = b"\r\n"
FORMULA = re.compile(rb"[=+@\t\r]|-(?![\w:. -]*(?:e\+\d+)?\Z)")
"""What a spreadsheet would calculate, at the start of a value that is not valid. A word, a time and a number may begin
with a minus sign."""
BEHIND_SEPARATOR = rb'([;,\t|\r\n]"*)(?=%s)'
"""A program that splits a line at another separator begins a cell behind it; quotes there are those of a cell."""
FORMULA_WITHIN = re.compile(BEHIND_SEPARATOR % rb"[=+\-@\t\r]")
FORMULA_IN_JSON = re.compile(BEHIND_SEPARATOR % rb"(?:[=+@]|-(?!\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[\]},\s]))")
"""In a list of numbers a minus sign follows a comma."""


class DelimitedEncoder:
    """The lines of one file. The engine has guarded the start of text in SQL; titles, what is not valid and what stands
    within a text are guarded here."""

    def __init__(self, columns: Sequence[FormatColumn], delimiter: str, *, guard: bool | str) -> None:
        self._delimiter = delimiter
        self._guard = guard
        self._formulas_within = [
            (index, FORMULA_IN_JSON if column.kind is ValueType.JSON else FORMULA_WITHIN)
            for index, column in enumerate(columns)
            if guard == STRICT
        ]
        self._width = len(columns)
        self._bare = [index for index, column in enumerate(columns) if column.kind in BARE]
        quoted = tuple(column.kind not in BARE for column in columns)
        self.pushdown = CsvRows(delimiter, quoted, bool(guard)) if len(columns) > 1 and guard != STRICT else None
        """None where a database would write a lone NULL as a line with nothing on it, or what it does not guard."""
        line = delimiter.encode().join(map(slot, columns)) + LINE_END
        self._first, *between, self._last = line.split(CELL)
        self._literals = [self._last + self._first, *between]
        # A line with nothing on it is no row to most readers, so a lone NULL is written like empty text.
        self._null = b'""' if self._width == 1 else b""

    def header(self, titles: Sequence[str]) -> bytes:
        """The line of the titles. Excel takes a file that begins with `ID` for SYLK, so that title is quoted."""
        titles = [guarded_title(title, self._guard) for title in titles]
        line = io.StringIO()
        csv.writer(line, delimiter=self._delimiter).writerow(titles)
        text = line.getvalue()
        if text.startswith("ID"):
            text = f'"{titles[0]}"{text.removeprefix(titles[0])}'
        return text.encode()

    def rows(self, block: CellBlock) -> bytes:
        """The lines of a block that is not empty."""
        cells = split(block.data.replace(b'"', b'""'), block.rows, self._width)
        if IRREGULAR in block.data:
            cells = self._with_irregular_texts(cells)
        if self._formulas_within and FORMULA_WITHIN.search(block.data):
            self._guard_within(cells)
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

    def _guard_within(self, cells: list[bytes]) -> None:
        """Put `'` before formulas within the cells, column by column."""
        for index, formula in self._formulas_within:
            cells[index :: self._width] = [formula.sub(rb"\1'", cell) for cell in cells[index :: self._width]]

    def _without_nulls(self, lines: bytes) -> bytes:
        """An empty cell for each mark; stripping the quotes beside it beats a search for all three bytes."""
        first, *others = lines.split(NULL)
        return self._null.join([first.rstrip(b'"'), *map(bytes.strip, others, repeat(b'"'))])


def guarded_title(title: str, guard: bool | str) -> str:
    """A title as the guard writes it."""
    if guard and title.startswith(FORMULA_STARTS):
        title = "'" + title
    return FORMULA_WITHIN.sub(rb"\1'", title.encode()).decode() if guard == STRICT else title


def write_irregular(text: bytes, *, guard: bool | str, quoted: bool = True) -> bytes:
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
