"""Parquet: typed columns, written group by group of rows. Needs pyarrow, which is imported when a file is made."""

from __future__ import annotations

import importlib
import importlib.util
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

from rowferry.exports.encoding.blocks import IRREGULAR, NULL, CellBlock, split
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.formats import FileHeader, FormatColumn, FormatWriter, Stream
from rowferry.exports.translation import gettext_noop as _

GROUP_ROWS = 65_536
GROUP_BYTES = 64 * 1024 * 1024
"""A group is written at so many rows, or at so many bytes of cells: that bounds the memory."""
NO_NUMBERS = (b"NaN", b"nan", b"Inf", b"inf", b"Infinity")
"""What databases and Python call the floats that are no numbers."""
MOST_DIGITS = 38
"""What a decimal of 128 bits holds."""


class ParquetWriter(FormatWriter):
    """Columns by their names, as in JSON. A column has one type for all its rows, so a value that does not fit (a date
    called infinity) is left empty, and counted."""

    name = "parquet"
    label = _("Parquet")
    description = _("Compressed columns with types, for analysis with pandas, Polars, DuckDB or Spark.")
    extension = "parquet"
    content_type = "application/vnd.apache.parquet"
    missing = None if importlib.util.find_spec("pyarrow") else "pip install rowferry[parquet]"

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        self._arrow: Any = importlib.import_module("pyarrow")
        self._schema = self._arrow.schema([(c.name, self._type(c)) for c in order.columns])
        self._group: list[Any] = []
        self._group_rows = self._group_bytes = 0
        self._buffer = _BufferFile()
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._writer = parquet.ParquetWriter(self._buffer, self._schema)

    def write(self, block: CellBlock) -> None:
        if not block.rows:
            return
        self._group.append(self._batch(block))
        self._group_rows += block.rows
        self._group_bytes += len(block.data)
        self.rows += block.rows
        if self._group_rows >= GROUP_ROWS or self._group_bytes >= GROUP_BYTES:
            self._write_group()
            self.stream.write(self._buffer.take())

    def close(self) -> None:
        self._write_group()
        self._writer.close()
        self.stream.write(self._buffer.take())

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:  # noqa: ARG003
        found: Any = importlib.import_module("pyarrow.parquet").ParquetFile(file)
        return RowCount(found.metadata.num_rows, list(found.schema_arrow.names))

    def _write_group(self) -> None:
        if self._group:
            self._writer.write_table(self._arrow.Table.from_batches(self._group), row_group_size=self._group_rows)
        self._group, self._group_rows, self._group_bytes = [], 0, 0

    def _batch(self, block: CellBlock) -> Any:
        cells = split(block.data, block.rows, self.width)
        if IRREGULAR in block.data:
            cells = [self._typed_cell(cell, self._schema[index % self.width].type) for index, cell in enumerate(cells)]
        columns = [
            self._cast_column(cells[index :: self.width], field.type, self.order.columns[index].kind)
            for index, field in enumerate(self._schema)
        ]
        return self._arrow.record_batch(columns, schema=self._schema)

    def _cast_column(self, cells: Sequence[bytes], arrow_type: Any, kind: ValueType) -> Any:
        """One column of a block in its type."""
        texts = [None if cell == NULL else cell for cell in cells]
        try:
            return self._arrow.array(texts, self._arrow.string()).cast(arrow_type)
        except self._arrow.ArrowInvalid:
            values = [None if text is None else self._value(text, arrow_type, kind) for text in texts]
        self.adjustments += Counter(emptied_cells=values.count(None) - texts.count(None))
        return self._arrow.array(values, arrow_type)

    def _typed_cell(self, cell: bytes, arrow_type: Any) -> bytes:
        """What a column of this type holds of a value that is not valid for it: any text, or a float's NaN; or NULL,
        and counted."""
        if cell[:1] != IRREGULAR:
            return cell
        text = cell[1:]
        is_float = arrow_type == self._arrow.float64() and text.lstrip(b"-") in NO_NUMBERS
        if is_float or arrow_type == self._arrow.string():
            return text
        self.adjustments["emptied_cells"] += 1
        return NULL

    def _value(self, text: bytes, arrow_type: Any, kind: ValueType) -> Any:
        """One value, where a block of them could not be cast; None if it does not fit."""
        try:
            if kind is ValueType.INSTANT:
                # Offsets with seconds, as clocks had before there were zones, are beyond Arrow's parser.
                return datetime.fromisoformat(text.decode())
            return self._arrow.scalar(text.decode(errors="replace")).cast(arrow_type).as_py()
        except (ValueError, OverflowError):
            return None

    def _type(self, column: FormatColumn) -> Any:
        """A decimal without known digits, or with too many of them, is text, so that it stays exact."""
        arrow = self._arrow
        if column.kind is ValueType.DECIMAL and column.digits and column.digits[0] <= MOST_DIGITS:
            return arrow.decimal128(*column.digits)
        types = {
            ValueType.INTEGER: arrow.int64(),
            ValueType.FLOAT: arrow.float64(),
            ValueType.BOOLEAN: arrow.bool_(),
            ValueType.DATE: arrow.date32(),
            ValueType.INSTANT: arrow.timestamp("us", tz=self.order.time_zone),
        }
        return types.get(column.kind, arrow.string())


class _BufferFile:
    """A file that pyarrow can write to; it gathers what the stream gets in one write."""

    closed = False

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._chunks.append(bytes(data))

    def flush(self) -> None:
        """Nothing is held back here."""

    def take(self) -> bytes:
        """All bytes since the last time."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data
