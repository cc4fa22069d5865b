"""CSV: UTF-8, RFC 4180, CRLF."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import BinaryIO

from rowferry.exports.encoding.blocks import CellBlock
from rowferry.exports.encoding.delimited import DelimitedEncoder, count_delimited
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.formats import COMPRESS, FORMULA_GUARD, FileHeader, FormatWriter, Option, Stream
from rowferry.exports.translation import gettext_noop as _


class CsvWriter(FormatWriter):
    """One header row, then one line per row."""

    name = "csv"
    label = _("CSV")
    description = _("Plain rows that every program reads. Text is quoted, dates are ISO 8601.")
    extension = "csv"
    content_type = "text/csv; charset=utf-8"
    options = (
        Option("delimiter", ",", _("Delimiter"), (",", ";", "tab", "|", "\t")),
        Option("bom", True, _("Byte order mark, by which Excel knows UTF-8")),
        FORMULA_GUARD,
        COMPRESS,
    )

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        delimiter = str(self.chosen["delimiter"])
        self._lines = DelimitedEncoder(
            order.columns, "\t" if delimiter == "tab" else delimiter, guard=self.chosen["formula_guard"]
        )
        self.pushdown = self._lines.pushdown

    def open(self) -> None:
        header = self._lines.header(self.order.titles)
        self.stream.write((BOM_UTF8 if self.chosen["bom"] else b"") + header)

    def write(self, block: CellBlock) -> None:
        if block.rows:
            self.stream.write(self._lines.rows(block))
            self.rows += block.rows

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:
        delimiter = spec.get("options", {}).get("delimiter", ",")
        return count_delimited(file, "\t" if delimiter == "tab" else delimiter)
