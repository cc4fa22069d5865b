"""Cells are made fit for a sheet: numbers that it would not hold become text, and text becomes XML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, SPARE
from rowferry.exports.encoding.pushdown import EXACT_DIGITS
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel.row_xml import CELLS
from rowferry.exports.formats.excel.text import clean, has_edge_blanks

LONG_NUMBER = b"0" * (EXACT_DIGITS + 1)
DIGITS_ALIKE = bytes(0x30 if code in b"0123456789" else code for code in range(256))
NUMBER_OR_NULL = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|" + NULL)


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """`allowed` = bytes that the numbers of a column consist of; `exact` = more than 15 digits would be lost."""

    allowed: bytes
    exact: bool

    def passes(self, column: Sequence[bytes]) -> bool:
        """Whether every cell surely is a number that Excel can hold; cheap, and now and then false without need."""
        joined = CELL.join(column)
        if joined.translate(None, self.allowed + CELL + NULL):
            return False
        return not (self.exact and LONG_NUMBER in joined.translate(DIGITS_ALIKE, b"."))

    def holds(self, cell: bytes) -> bool:
        """Whether this one is NULL or such a number."""
        if self.exact and len(cell) > EXACT_DIGITS and significant_digits(cell) > EXACT_DIGITS:
            return False
        return NUMBER_OR_NULL.fullmatch(cell) is not None


SERIAL_CHECK = NumberCheck(b"0123456789.", exact=False)
CHECKS = {
    ValueType.BOOLEAN: NumberCheck(b"01", exact=False),
    ValueType.INTEGER: NumberCheck(b"0123456789-", exact=True),
    ValueType.DECIMAL: NumberCheck(b"0123456789-+.eE", exact=True),
    ValueType.FLOAT: NumberCheck(b"0123456789-+.eE", exact=False),
    ValueType.DATE: SERIAL_CHECK,
    ValueType.INSTANT: SERIAL_CHECK,
}


class Grid:
    """Prepares blocks of cells. `as_text` = indices of the columns that hold numbers, or what looks so, as text."""

    def __init__(self, columns: Sequence[FormatColumn], counts: Counter[str]) -> None:
        self._width = len(columns)
        self._counts = counts
        self._texts = [index for index, column in enumerate(columns) if column.kind not in CELLS]
        self._numbers = [(index, CHECKS[column.kind]) for index, column in enumerate(columns) if column.kind in CHECKS]
        self.marked: set[int] = set()
        """Columns in which a value that is no number has come, behind SPARE."""

    @property
    def as_text(self) -> set[int]:
        return self.marked.union(self._texts)

    def prepare(self, cells: list[bytes]) -> bool:
        """Make the cells fit for XML, in place; true = their white space must be preserved."""
        self._prepare_numbers(cells)
        return bool(self._texts) and self._prepare_texts(cells)

    def _prepare_numbers(self, cells: list[bytes]) -> None:
        for index, check in self._numbers:
            column = cells[index :: self._width]
            if not check.passes(column):
                is_number = list(map(check.holds, column))
                cleaned = clean(CELL.join(column).replace(IRREGULAR, b""), self._counts).split(CELL)
                cells[index :: self._width] = [
                    cell if number else SPARE + cell for cell, number in zip(cleaned, is_number, strict=True)
                ]
                self.marked.add(index)

    def _prepare_texts(self, cells: list[bytes]) -> bool:
        """All text columns as one buffer, so that what is done to text costs nothing for numbers."""
        columns = [cells[index :: self._width] for index in self._texts]
        stored = CELL.join([CELL.join(column) for column in columns])
        joined = stored.replace(IRREGULAR, b"") if IRREGULAR in stored else stored
        cleaned = clean(joined, self._counts)
        if cleaned is not stored:
            texts, rows = cleaned.split(CELL), len(columns[0])
            for position, index in enumerate(self._texts):
                cells[index :: self._width] = texts[position * rows : (position + 1) * rows]
        return has_edge_blanks(joined)


def significant_digits(number: bytes) -> int:
    """How many digits a reader needs to keep; zeros at the end of an integer count, as in an account number."""
    mantissa = number.lower().partition(b"e")[0]
    if b"." in mantissa:
        mantissa = mantissa.rstrip(b"0").replace(b".", b"")
    return len(mantissa.lstrip(b"-0"))
