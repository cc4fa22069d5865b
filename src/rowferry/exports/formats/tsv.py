"""TSV: as CSV, with a tab between the cells.

The type that IANA has registered (text/tab-separated-values) knows no quotes, so that a tab or a line break in a cell
could not be written at all. This is the form that programs read and write in practice: quoted by the rules of CSV.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import BinaryIO

from rowferry.exports.encoding.blocks import CellBlock
from rowferry.exports.encoding.delimited import DelimitedEncoder, count_delimited
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.formats import COMPRESS, FORMULA_GUARD, FileHeader, FormatWriter, Option, Stream
from rowferry.exports.translation import gettext_noop as _


class TsvWriter(FormatWriter):
    """One header row, then one line per row. No byte order mark unless asked for: databases read it as data."""

    name = "tsv"
    label = _("TSV")
    description = _("As CSV, with a tab between the cells.")
    extension = "tsv"
    content_type = "text/tab-separated-values; charset=utf-8"
    options = (
        Option("bom", False, _("Byte order mark, by which Excel knows UTF-8")),
        FORMULA_GUARD,
        COMPRESS,
    )

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        self._lines = DelimitedEncoder(order.columns, "\t", guard=self.chosen["formula_guard"])
        self.pushdown = self._lines.pushdown

    def open(self) -> None:
        header = self._lines.header(self.order.titles)
        self.stream.write((BOM_UTF8 if self.chosen["bom"] else b"") + header)

    def write(self, block: CellBlock) -> None:
        if block.rows:
            self.stream.write(self._lines.rows(block))
            self.rows += block.rows

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:  # noqa: ARG003
        return count_delimited(file, "\t")
