"""JSON: one object with the facts of the export and, under `data`, one row per line, written as a stream."""

from __future__ import annotations

import io
import json
from datetime import UTC
from typing import Any, BinaryIO

from rowferry.exports.encoding.blocks import CellBlock
from rowferry.exports.encoding.json_rows import JsonRowEncoder
from rowferry.exports.encoding.row_count import RowCount, Spec
from rowferry.exports.formats import COMPRESS, FileHeader, FormatWriter, Stream
from rowferry.exports.translation import gettext_noop as _


class JsonWriter(FormatWriter):
    """The facts come first, so that a reader knows what is to come."""

    name = "json"
    label = _("JSON")
    description = _("One object with the facts of the export and its rows, for programs. Related values can be nested.")
    extension = "json"
    content_type = "application/json"
    can_nest = True
    options = (COMPRESS,)

    def __init__(self, order: FileHeader, stream: Stream) -> None:
        super().__init__(order, stream)
        self._objects = JsonRowEncoder(order.columns, nested=order.nested, separator=b",\n")
        self.pushdown = self._objects.pushdown

    def open(self) -> None:
        head = json.dumps(facts(self.order), default=str, separators=(",", ":"))
        self.stream.write(head[:-1].encode() + b',"data":[')

    def write(self, block: CellBlock) -> None:
        if block.rows:
            self.stream.write(self._objects.rows(block, before=self._before()))
            self.rows += block.rows

    def write_encoded(self, lines: CellBlock) -> bool:
        self.stream.write(self._before() + lines.data)
        self.rows += lines.rows
        return True

    def _before(self) -> bytes:
        return b",\n" if self.rows else b"\n"

    def close(self) -> None:
        count = b"" if self.order.item_count is not None else b',"item_count":%d' % self.rows
        self.stream.write((b"\n]" if self.rows else b"]") + count + b"}\n")

    @classmethod
    def count_rows(cls, file: BinaryIO, spec: Spec) -> RowCount:  # noqa: ARG003
        """One row a line, between a line that begins the object and one that ends it."""
        lines = io.BufferedReader(file)  # type: ignore[type-var]
        begin = lines.readline().decode().rstrip()
        if not begin.endswith('"data":['):
            raise ValueError("its first line does not begin the rows")
        rows, last = 0, b""
        for line in lines:
            if line.startswith(b"]"):
                last = line + lines.read(2)
                break
            json.loads(line.rstrip(b",\r\n"))
            rows += 1
        about = json.loads(f"{begin}{last.decode()}")
        if about["data"]:
            raise ValueError("there are rows where none should be")
        return RowCount(rows, list(about["columns"]))


def facts(order: FileHeader) -> dict[str, Any]:
    """What the file says of itself before its rows, in the order of the contract."""
    exported_at = order.exported_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "export_id": order.export_id,
        "resource_type": order.resource,
        "format": order.format,
        "exported_at": exported_at,
        **({} if order.item_count is None else {"item_count": order.item_count}),
        "columns": [column.name for column in order.columns],
        "filters": dict(order.filters),
        "actor": order.actor or None,
        "on_behalf_of": order.on_behalf_of or None,
    }
