"""Rows from a source that has put marks where the XML of a sheet goes: each mark is replaced, and no cell is cut out.

What is not plain is left to `grid`, which looks at each cell: control characters, text that is no UTF-8, something else
than a number in a column of numbers, a row of many kilobytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter

from rowferry.exports.encoding.blocks import CELL, COLUMN_SEPARATORS, NULL, CellBlock
from rowferry.exports.encoding.pushdown import MarkedCells
from rowferry.exports.formats import FormatColumn
from rowferry.exports.formats.excel.grid import PRESERVE, SLOTS, SPACE, TEXT_SLOT, with_empty_cells
from rowferry.exports.formats.excel.text import PLAIN, WINDOW, escape_xml, is_xml

SEEN, NOTHING = b"\1", b"0"
EDGES = (b"\n", b"\t", b"\r", SEEN + b" ", b" " + SEEN)
ROW, ROW_END = b"<row>", b"</row>"
BRACKETS = {ord("<")}, {ord(">")}


class MarkedGrid:
    """Makes of marked cells the rows that `Grid` makes of cells."""

    def __init__(self, columns: Sequence[FormatColumn]) -> None:
        slots = [SLOTS.get(column.kind, TEXT_SLOT).split(CELL) for column in columns]
        self._first = ROW + slots[0][0]
        between = [before[1] + after[0] for before, after in pairwise(slots)]
        between.append(slots[-1][1] + ROW_END + self._first)
        mark_of = dict(zip(reversed(dict.fromkeys(between)), COLUMN_SEPARATORS, strict=False))
        ends = tuple(mark_of[xml] for xml in between)
        self._end = ends[-1]
        # Marks of two bytes come first: they end with what is also a mark alone.
        self._slots = [(mark, xml, between.count(xml)) for xml, mark in reversed(mark_of.items())]
        self._marks_table = marks_table(b"".join(ends))
        self.pushdown = MarkedCells(ends, tuple(column.kind not in SLOTS for column in columns))

    def rows(self, lines: CellBlock) -> bytes | None:
        """The block as `<row>` elements; None: some cell asks for a closer look."""
        masked = lines.data.translate(self._marks_table)
        if not is_xml(masked) or has_long_row(lines.data, self._end):
            return None
        preserve = masked.startswith(b" ") or any(edge in masked for edge in EDGES)
        xml = self._fill_marks(escape_xml(lines.data), lines.rows, SPACE if preserve else b"")
        xml = xml and without_nulls(xml)
        return xml.replace(SPACE, PRESERVE) if xml and preserve else xml

    def _fill_marks(self, xml: bytes, rows: int, space: bytes) -> bytes | None:
        """XML in the place of each mark; None: there were more or fewer than rows have, so some were no marks."""
        for mark, literal, count in self._slots:
            replacement = literal.replace(SPACE, space)
            expected_length = len(xml) + (len(replacement) - len(mark)) * count * rows
            xml = xml.replace(mark, replacement)
            if len(xml) != expected_length:
                return None
        first = self._first.replace(SPACE, space)
        return None if CELL in xml else b"".join((first, memoryview(xml)[: -len(first)]))


def marks_table(marks: bytes) -> bytes:
    """A table for `translate`: what is plain becomes or stays XML, the marks SEEN, the rest no UTF-8."""
    table = bytearray(PLAIN)
    for mark in marks:
        table[mark] = SEEN[0]
    table[NULL[0]] = NOTHING[0]
    return bytes(table)


def has_long_row(data: bytes, end: bytes) -> bool:
    """False = certainly no cell that is too long."""
    return any(data.find(end, start, start + WINDOW) < 0 for start in range(0, len(data) - WINDOW + 1, WINDOW))


def without_nulls(xml: bytes) -> bytes | None:
    """Empty cells for NULL; None: some such mark is within a text."""
    if NULL not in xml:
        return xml
    parts = xml.split(NULL)
    neighbours = ({*map(itemgetter(0), parts[1:])}, {*map(itemgetter(-1), parts[:-1])}) if all(parts) else ()
    return with_empty_cells(parts) if neighbours == BRACKETS else None
