"""Excel: an XLSX workbook, written forward only. `archive` is its ZIP, `grid` makes rows, `sheet` what frames them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import BinaryIO, ClassVar

from rowferry.exports.encoding.blocks import CellBlock, split
from rowferry.exports.encoding.pushdown import MarkedCells
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.encoding.value_types import Representation, ValueType
from rowferry.exports.formats import FileHeader, FormatWriter, Stream
from rowferry.exports.formats.excel.about import NAME as ABOUT
from rowferry.exports.formats.excel.about import about_sheet
from rowferry.exports.formats.excel.archive import Archive
from rowferry.exports.formats.excel.grid import Grid
from rowferry.exports.formats.excel.marked import plain_cells
from rowferry.exports.formats.excel.parts import Sheet, closing, opening
from rowferry.exports.formats.excel.row_count import count_rows
from rowferry.exports.formats.excel.row_xml import CELLS, row_xml
from rowferry.exports.formats.excel.sheet import HEADER_ROW, column_widths, data_range, head, sheet_name, tail
from rowferry.exports.formats.excel.text import MAX_UNITS
from rowferry.exports.translation import gettext_noop as _


class ExcelWriter(FormatWriter):
    """Real numbers, dates and booleans; text that stays text. What a sheet cannot hold goes to the next sheet."""

    name = "excel"
    label = _("Excel")
    description = _(
        "A workbook with real dates and numbers, a filter and a frozen header, and a sheet about the export."
    )
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    forms = {
        ValueType.DATE: Representation.SERIAL,
        ValueType.INSTANT: Representation.SERIAL,
        ValueType.BOOLEAN: Representation.DIGIT,
    }
    max_rows: ClassVar[int] = 1_048_576
    """The header is one of them."""
    max_cell = MAX_UNITS
    max_sheet_bytes: ClassVar[int] = 4_000_000_000
    """Of XML; with 4 GiB or more, a part would need ZIP64 in its header."""

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        self._archive = Archive(stream, order.exported_at)
        self._grid = Grid(order.columns, self.adjustments)
        self._kinds = tuple(column.kind for column in order.columns)
        self.pushdown = MarkedCells(tuple(kind not in CELLS for kind in self._kinds))
        self._sheets: list[Sheet] = []
        self._widths: list[int] = []
        self._name = ""
        self._sheet_rows = 0

    def open(self) -> None:
        for name, data in opening(self.order).items():
            self._archive.put(name, data)
        self._archive.flush()

    def write(self, block: CellBlock) -> None:
        if not block.rows:
            return
        cells = split(block.data, block.rows, self.width)
        if not self._name:
            self._begin_first(cells)
        preserve = self._grid.prepare(cells)
        self._write_rows(cells, preserve, self._grid.marked)

    def write_encoded(self, lines: CellBlock) -> bool:
        plain = plain_cells(lines, self.width)
        if plain is None:
            return False
        if not self._name:
            self._begin_first(split(lines.data, lines.rows, self.width))
        self._write_rows(*plain)
        return True

    def close(self) -> None:
        if not self._name:
            self._begin_first([])
        self._end()
        about = about_sheet(self.order, self.rows, self.adjustments)
        self._archive.put(f"xl/worksheets/sheet{len(self._sheets) + 1}.xml", about)
        self._sheets.append(Sheet(ABOUT))
        for name, data in closing(self._sheets).items():
            self._archive.put(name, data)
        self._archive.close()

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:  # noqa: ARG003
        return count_rows(file)

    def _write_rows(self, cells: list[bytes], preserve: bool, marked: Collection[int] = ()) -> None:
        """Prepared cells, in this sheet as far as it takes them, then in the next."""
        start = 0
        while start < len(cells):
            if self._sheet_rows == self.max_rows - 1:
                self._next_sheet()
            end = start + (self.max_rows - 1 - self._sheet_rows) * self.width
            self._add(cells[start:end] if start or end < len(cells) else cells, preserve, marked)
            start = end
        self.rows += len(cells) // self.width
        self._archive.flush()

    def _add(self, cells: list[bytes], preserve: bool, marked: Collection[int]) -> None:
        xml = self._xml(cells, preserve, marked)
        if self._archive.size + len(xml) > self.max_sheet_bytes:
            self._next_sheet()
            xml = self._xml(cells, preserve, marked)
        self._archive.add(xml)
        self._sheet_rows += len(cells) // self.width

    def _xml(self, cells: list[bytes], preserve: bool, marked: Collection[int]) -> bytes:
        return row_xml(self._kinds, cells, HEADER_ROW + self._sheet_rows + 1, preserve=preserve, marked=marked)

    def _begin_first(self, cells: Sequence[bytes]) -> None:
        self._widths = column_widths(self.order.titles, self.order.columns, cells)
        self._begin()

    def _next_sheet(self) -> None:
        self._end()
        self._begin()

    def _begin(self) -> None:
        self._name = sheet_name(self.order.resource_label, [ABOUT, *(sheet.name for sheet in self._sheets)])
        self._sheet_rows = 0
        self._archive.begin(f"xl/worksheets/sheet{len(self._sheets) + 1}.xml")
        self._archive.add(head(self.order.titles, self._widths, selected=not self._sheets))

    def _end(self) -> None:
        self._archive.add(tail(self.order.columns, self._sheet_rows, self._grid.as_text))
        self._archive.end()
        self._sheets.append(Sheet(self._name, data_range(self.width, self._sheet_rows)))
