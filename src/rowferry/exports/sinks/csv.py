"""CSV: UTF-8, RFC 4180, CRLF. Cells of text are always quoted; numbers, dates and booleans never.

So NULL (an empty cell) and empty text (`""`) stay apart, and doubling the quotes is all that has to be done to cells.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from itertools import repeat

from rowferry.exports.cells import CELL, NULL, Block, glue, split
from rowferry.exports.kinds import NUMBERS, Kind
from rowferry.exports.sinks import Option, Order, Sink, SinkColumn, Stream

BARE = NUMBERS | {Kind.BOOLEAN, Kind.DATE, Kind.INSTANT}
"""Kinds whose text never holds a delimiter, a quote or a line break."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
LINE_END = b"\r\n"


class CsvSink(Sink):
    """One header row, then one line per row. The engine has guarded the cells in SQL; the header is guarded here."""

    name = "csv"
    label = "CSV"
    description = "Plain rows that every program reads. Text is quoted, dates are ISO 8601."
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    options = (
        Option("delimiter", ",", "Delimiter", (",", ";", "tab", "|", "\t")),
        Option("bom", True, "Byte order mark, by which Excel knows UTF-8"),
        Option("formula_guard", True, "Put ' before text that a spreadsheet would take for a formula"),
    )

    def __init__(self, order: Order, stream: Stream) -> None:
        super().__init__(order, stream)
        self._options = {option.name: option.default for option in self.options} | dict(order.options)
        self._delimiter = "\t" if self._options["delimiter"] == "tab" else str(self._options["delimiter"])
        line = self._delimiter.encode().join(map(slot, order.columns)) + LINE_END
        self._first, *between, self._last = line.split(CELL)
        self._literals = [self._last + self._first, *between]
        # A line with nothing on it is no row to most readers, so a lone NULL is written like empty text.
        self._null = b'""' if self.width == 1 else b""

    def open(self) -> None:
        self.stream.write((BOM_UTF8 if self._options["bom"] else b"") + self._header())

    def write(self, block: Block) -> None:
        if not block.rows:
            return
        cells = split(block.data.replace(b'"', b'""'), block.rows, self.width)
        lines = glue(cells, self._literals, self._first, self._last)
        self.stream.write(self._without_nulls(lines) if NULL in lines else lines)
        self.rows += block.rows

    def _without_nulls(self, lines: bytes) -> bytes:
        """An empty cell for each mark; stripping the quotes beside it beats a search for all three bytes."""
        first, *others = lines.split(NULL)
        return self._null.join([first.rstrip(b'"'), *map(bytes.strip, others, repeat(b'"'))])

    def _header(self) -> bytes:
        titles = self.order.titles
        if self._options["formula_guard"]:
            titles = ["'" + title if title.startswith(FORMULA_STARTS) else title for title in titles]
        line = io.StringIO()
        csv.writer(line, delimiter=self._delimiter).writerow(titles)
        return line.getvalue().encode()


def slot(column: SinkColumn) -> bytes:
    """Where a cell of this column goes, with its quotes."""
    return CELL if column.kind in BARE else b'"' + CELL + b'"'
