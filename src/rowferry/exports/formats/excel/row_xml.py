"""Cells glued into `<row>` elements, each row and each cell with its reference, without any bytecode per cell.

The last two digits of a row's number come from a table with the XML around the cells of a hundred rows, and what stands
before them is filled in for a hundred rows at once. A cell that holds NULL is left out, but for the last of its row, by
which programs see how wide the row is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rowferry.exports.encoding.blocks import CELL, NULL, SPARE
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats.excel.parts import BOOLEAN_STYLE, DATE_STYLE, INSTANT_STYLE

HUNDREDS = b"\xf8"
"""A byte that UTF-8 never has: where the number of a row goes, but for its last two digits."""
STEP = 100
TABLES = 64
"""Kept for the next file with columns of the same kinds."""
NUMBER = b'<c r="%s"><v>' + CELL + b"</v></c>"
NUMBER_AS_TEXT = b'<c r="%s" t="str"><v>'
TEXT = b'<c r="%s" t="inlineStr"><is><t>' + CELL + b"</t></is></c>"
TEXT_WITH_BLANKS = b'<c r="%s" t="inlineStr"><is><t xml:space="preserve">' + CELL + b"</t></is></c>"
CELLS = {
    ValueType.INTEGER: NUMBER,
    ValueType.DECIMAL: NUMBER,
    ValueType.FLOAT: NUMBER,
    ValueType.BOOLEAN: b'<c r="%s" s="' + b"%d" % BOOLEAN_STYLE + b'" t="b"><v>' + CELL + b"</v></c>",
    ValueType.DATE: b'<c r="%s" s="' + b"%d" % DATE_STYLE + b'"><v>' + CELL + b"</v></c>",
    ValueType.INSTANT: b'<c r="%s" s="' + b"%d" % INSTANT_STYLE + b'"><v>' + CELL + b"</v></c>",
}
"""The element of each kind, with CELL where its value goes; the other kinds are text."""


@dataclass(frozen=True, slots=True)
class Table:
    """What stands around the cells of STEP rows, row by row: before a cell, after it, before a number that is text, and
    instead of a cell without a value."""

    before: list[bytes]
    after: list[bytes]
    before_text: list[bytes]
    instead: list[bytes]


def row_xml(
    kinds: tuple[ValueType, ...], cells: Sequence[bytes], number: int, *, preserve: bool, marked: Iterable[int] = ()
) -> bytes:
    """Rows of escaped cells, the first of them with this number.

    `preserve` = white space at the ends of texts is to be kept. `marked` = the columns in which SPARE may stand before
    a value that is no number; it becomes a text.
    """
    chunks = (
        _chunk(table_of(kinds, preserve=preserve, padded=first >= STEP), part, first, len(kinds), marked)
        for part, first in _hundreds(cells, number, len(kinds))
    )
    return b"".join(chunks)


def _hundreds(cells: Sequence[bytes], number: int, width: int) -> Iterator[tuple[Sequence[bytes], int]]:
    """The cells of rows that share all but the last two digits of their numbers, and the number of the first."""
    start = 0
    while start < len(cells):
        end = start + (STEP - number % STEP) * width
        yield cells[start:end], number
        number += (len(cells[start:end])) // width
        start = end


def _chunk(table: Table, cells: Sequence[bytes], number: int, width: int, marked: Iterable[int]) -> bytes:
    hundreds, row = divmod(number, STEP)
    start, count = row * width, len(cells)
    parts = [b""] * (3 * count)
    parts[0::3] = table.before[start : start + count]
    parts[1::3] = cells
    parts[2::3] = table.after[start : start + count]
    for index in _positions(cells, NULL):
        parts[3 * index : 3 * index + 3] = table.instead[start + index], b"", b""
    for column in marked:
        for index in range(column, count, width):
            if cells[index].startswith(SPARE):
                parts[3 * index : 3 * index + 2] = table.before_text[start + index], cells[index].removeprefix(SPARE)
    return b"".join(parts).replace(HUNDREDS, b"%d" % hundreds if hundreds else b"")


def _positions(cells: Sequence[bytes], value: bytes) -> Iterator[int]:
    index = -1
    for _ in range(cells.count(value)):
        index = cells.index(value, index + 1)
        yield index


@lru_cache(TABLES)
def table_of(kinds: tuple[ValueType, ...], *, preserve: bool, padded: bool) -> Table:
    """The table of rows of these kinds. `padded` = 7 is 07, because more digits stand before it."""
    text = TEXT_WITH_BLANKS if preserve else TEXT
    elements = [CELLS.get(kind, text) for kind in kinds]
    names = [column_letters(index).encode() + HUNDREDS for index in range(len(kinds))]
    last = len(kinds) - 1
    table = Table([], [], [], [])
    for row in range(STEP):
        digits = b"%02d" % row if padded else b"%d" % row
        for index, (element, name) in enumerate(zip(elements, names, strict=True)):
            start = b'<row r="%s%s">' % (HUNDREDS, digits) if index == 0 else b""
            end = b"</row>" if index == last else b""
            before, after = element.split(CELL)
            reference = name + digits
            table.before.append(start + before % reference)
            table.after.append(after + end)
            table.before_text.append(start + NUMBER_AS_TEXT % reference)
            table.instead.append(start + (b'<c r="%s"/>' % reference if index == last else b"") + end)
    return table


def column_letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    number = index + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
