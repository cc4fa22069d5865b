"""NDJSON: one JSON object a line and nothing around them, for programs that read line by line."""

from __future__ import annotations

from rowferry.exports.encoding.blocks import Block
from rowferry.exports.encoding.json_rows import Objects
from rowferry.exports.formats import COMPRESS, Order, Sink, Stream


class NdjsonSink(Sink):
    """Each row as in JSON. No row, no byte: what the file holds is in the manifest."""

    name = "ndjson"
    label = "NDJSON"
    description = "One JSON object a line, for programs that read line by line. Related values can be nested."
    extension = "ndjson"
    content_type = "application/x-ndjson"
    can_nest = True
    options = (COMPRESS,)

    def __init__(self, order: Order, stream: Stream) -> None:
        super().__init__(order, stream)
        self._objects = Objects(order.columns, nested=order.nested, separator=b"\n")
        self.dialect = self._objects.dialect

    def write(self, block: Block) -> None:
        if block.rows:
            self.stream.write(self._objects.rows(block, after=b"\n"))
            self.rows += block.rows

    def pass_on(self, lines: Block) -> None:
        self.stream.write(lines.data + b"\n")
        self.rows += lines.rows
