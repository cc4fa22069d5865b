"""Blocks of cells become rows of a sheet's XML.

No cell or row carries its reference (both are optional): that is what lets a block be glued without counting.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, SPARE, join_cells
from rowferry.exports.encoding.pushdown import EXACT_DIGITS
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel.parts import BOOLEAN_STYLE, DATE_STYLE, INSTANT_STYLE
from rowferry.exports.formats.excel.text import clean, has_edge_blanks

SPACE = b"\xfc"
"""Another byte that UTF-8 never has: where `xml:space` goes, if it goes anywhere."""
PRESERVE = b' xml:space="preserve"'
NUMBER_SLOT = b"<c><v>" + CELL + b"</v></c>"
TEXT_SLOT = b'<c t="inlineStr"><is><t' + SPACE + b">" + CELL + b"</t></is></c>"
SLOTS = {
    ValueType.INTEGER: NUMBER_SLOT,
    ValueType.DECIMAL: NUMBER_SLOT,
    ValueType.FLOAT: NUMBER_SLOT,
    ValueType.BOOLEAN: b'<c s="%d" t="b"><v>' % BOOLEAN_STYLE + CELL + b"</v></c>",
    ValueType.DATE: b'<c s="%d"><v>' % DATE_STYLE + CELL + b"</v></c>",
    ValueType.INSTANT: b'<c s="%d"><v>' % INSTANT_STYLE + CELL + b"</v></c>",
}
"""The cell of each kind, with CELL where its value goes; the other kinds are TEXT_SLOT."""
INSIDE = bytes({*b"".join([*SLOTS.values(), TEXT_SLOT])} - {*b"c"})
"""What slots are made of, but for the `c` of their element: stripped of it, `<c …>` and `</c>` are `<c` and `c>`."""

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
    """Turns cells into rows. `as_text` = indices of the columns that hold numbers, or what looks so, as text."""

    def __init__(self, columns: Sequence[FormatColumn], counts: Counter[str]) -> None:
        self._width = len(columns)
        self._counts = counts
        self._texts = [index for index, column in enumerate(columns) if column.kind not in SLOTS]
        self._numbers = [(index, CHECKS[column.kind]) for index, column in enumerate(columns) if column.kind in CHECKS]
        self.as_text = set(self._texts)
        slots = [SLOTS.get(column.kind, TEXT_SLOT) for column in columns]
        self._row = b"<row>" + b"".join(slots) + b"</row>"

    def prepare(self, cells: list[bytes]) -> bool:
        """Make the cells fit for XML, in place; true = their white space must be preserved."""
        self._prepare_numbers(cells)
        return bool(self._texts) and self._prepare_texts(cells)

    def rows(self, cells: Sequence[bytes], preserve: bool) -> bytes:
        """Prepared cells as `<row>` elements."""
        first, *between, last = (self._row if preserve else self._row.replace(SPACE, b"")).split(CELL)
        xml = without_nulls(join_cells(cells, [last + first, *between], first, last))
        if SPARE in xml:
            xml = with_numbers_as_text(xml)
        return xml.replace(SPACE, PRESERVE) if preserve else xml

    def _prepare_numbers(self, cells: list[bytes]) -> None:
        for index, check in self._numbers:
            column = cells[index :: self._width]
            if not check.passes(column):
                is_number = list(map(check.holds, column))
                cleaned = clean(CELL.join(column).replace(IRREGULAR, b""), self._counts).split(CELL)
                cells[index :: self._width] = [
                    cell if number else SPARE + cell for cell, number in zip(cleaned, is_number, strict=True)
                ]
                self.as_text.add(index)

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


def without_nulls(xml: bytes) -> bytes:
    """`<c></c>` for every slot that holds NULL, whatever else the slot has."""
    return with_empty_cells(xml.split(NULL)) if NULL in xml else xml


def with_empty_cells(parts: Sequence[bytes]) -> bytes:
    """The parts, two at least, with an empty cell between them."""
    first, *between, last = parts
    stripped = map(bytes.strip, between, repeat(INSIDE))
    return b"></".join([first.rstrip(INSIDE), *stripped, last.lstrip(INSIDE)])


def with_numbers_as_text(xml: bytes) -> bytes:
    """A text cell for every slot of a number whose value is marked as no number."""
    *before, last = xml.split(SPARE)
    return b' t="str"><v>'.join([*map(bytes.rstrip, before, repeat(INSIDE)), last])
