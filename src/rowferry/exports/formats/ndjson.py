"""NDJSON: one JSON object a line and nothing around them, for programs that read line by line."""

from __future__ import annotations

import io
import json
from typing import BinaryIO

from rowferry.exports.encoding.blocks import CellBlock
from rowferry.exports.encoding.json_rows import JsonRowEncoder
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.formats import COMPRESS, FileHeader, FormatWriter, Stream
from rowferry.exports.translation import gettext_noop as _


class NdjsonWriter(FormatWriter):
    """Each row as in JSON. No row, no byte: what the file holds is in the manifest."""

    name = "ndjson"
    label = _("NDJSON")
    description = _("One JSON object a line, for programs that read line by line. Related values can be nested.")
    extension = "ndjson"
    content_type = "application/x-ndjson"
    can_nest = True
    options = (COMPRESS,)

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        self._objects = JsonRowEncoder(order.columns, nested=order.nested, separator=b"\n")
        self.pushdown = self._objects.pushdown

    def write(self, block: CellBlock) -> None:
        if block.rows:
            self.stream.write(self._objects.rows(block, after=b"\n"))
            self.rows += block.rows

    def write_encoded(self, lines: CellBlock) -> bool:
        self.stream.write(lines.data + b"\n")
        self.rows += lines.rows
        return True

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:
        rows, columns = 0, None
        for line in io.BufferedReader(file):  # type: ignore[type-var]
            row = json.loads(line)
            columns = columns or list(row)
            rows += 1
        return RowCount(rows, None if spec.get("nested") else columns)
