"""Rows without any database through one sink into nothing: `python -m bench.engine_runs.cells FORMAT BLOCKS`.

For a count of instructions: the same cells each time, so that two counts differ only by what the sink does.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from rowferry.exports.encoding.blocks import CELL, NULL, Block
from rowferry.exports.encoding.value_types import Form, Kind
from rowferry.exports.formats import Order, Sink, SinkColumn, sinks

ROWS = 1_000
COLUMNS = (
    *(SinkColumn(f"number_{i}", f"Number {i}", Kind.INTEGER) for i in range(6)),
    SinkColumn("name", "Name", Kind.TEXT),
    SinkColumn("tag", "Tag", Kind.IDENTIFIER),
    SinkColumn("serial", "Serial", Kind.IDENTIFIER),
    SinkColumn("bought", "Bought", Kind.DATE),
    SinkColumn("ends", "Ends", Kind.DATE),
    SinkColumn("created", "Created", Kind.INSTANT),
    SinkColumn("updated", "Updated", Kind.INSTANT),
)
PLAIN = {Kind.DATE: b"2025-10-30", Kind.INSTANT: b"2025-10-30T14:15:00Z"}
SERIAL = {Kind.DATE: b"45960", Kind.INSTANT: b"45960.59375"}


class Nowhere:
    """Takes all bytes and keeps none."""

    def write(self, data: bytes, /) -> int:
        return len(data)


def block(sink: type[Sink]) -> Block:
    rows = [cell(sink, column, number) for number in range(ROWS) for column in COLUMNS]
    return Block(CELL.join(rows), ROWS)


def cell(sink: type[Sink], column: SinkColumn, number: int) -> bytes:
    if number % 12 == 0 and column.kind in PLAIN:
        return NULL
    if column.kind in PLAIN:
        serial = sink.forms.get(column.kind, Form.PLAIN) is Form.SERIAL
        return (SERIAL if serial else PLAIN)[column.kind]
    if column.kind is Kind.INTEGER:
        return b"%d" % (number * 37 % 5000)
    return b'Monitor 27" <%d> & more' % number if number % 25 == 0 else b"ThinkPad T14 Gen %d" % number


def run(sink: type[Sink], blocks: int) -> None:
    order = Order(
        export_id="0" * 36,
        resource="assets",
        resource_label="Assets",
        format=sink.name,
        exported_at=datetime(2025, 10, 30, tzinfo=UTC),
        item_count=ROWS * blocks,
        columns=COLUMNS,
    )
    writer, rows = sink(order, Nowhere()), block(sink)
    writer.open()
    for _ in range(blocks):
        writer.write(rows)
    writer.close()


if __name__ == "__main__":
    run(sinks()[sys.argv[1]], int(sys.argv[2]))
