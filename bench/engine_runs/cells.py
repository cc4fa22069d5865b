"""Rows without any database through one sink into nothing: `python -m bench.engine_runs.cells FORMAT BLOCKS`.

For a count of instructions: the same cells each time, so that two counts differ only by what the sink does.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from rowferry.exports.encoding.blocks import CELL, NULL, CellBlock
from rowferry.exports.encoding.value_types import Representation, ValueType
from rowferry.exports.formats import FileHeader, FormatColumn, FormatWriter, format_writers

ROWS = 1_000
COLUMNS = (
    *(FormatColumn(f"number_{i}", f"Number {i}", ValueType.INTEGER) for i in range(6)),
    FormatColumn("name", "Name", ValueType.TEXT),
    FormatColumn("tag", "Tag", ValueType.IDENTIFIER),
    FormatColumn("serial", "Serial", ValueType.IDENTIFIER),
    FormatColumn("bought", "Bought", ValueType.DATE),
    FormatColumn("ends", "Ends", ValueType.DATE),
    FormatColumn("created", "Created", ValueType.INSTANT),
    FormatColumn("updated", "Updated", ValueType.INSTANT),
)
PLAIN = {ValueType.DATE: b"2025-10-30", ValueType.INSTANT: b"2025-10-30T14:15:00Z"}
SERIAL = {ValueType.DATE: b"45960", ValueType.INSTANT: b"45960.59375"}


class NullStream:
    """Takes all bytes and keeps none."""

    def write(self, data: bytes, /) -> int:
        return len(data)


def make_block(writer_class: type[FormatWriter]) -> CellBlock:
    rows = [make_cell(writer_class, column, number) for number in range(ROWS) for column in COLUMNS]
    return CellBlock(CELL.join(rows), ROWS)


def make_cell(writer_class: type[FormatWriter], column: FormatColumn, number: int) -> bytes:
    if number % 12 == 0 and column.kind in PLAIN:
        return NULL
    if column.kind in PLAIN:
        serial = writer_class.forms.get(column.kind, Representation.PLAIN) is Representation.SERIAL
        return (SERIAL if serial else PLAIN)[column.kind]
    if column.kind is ValueType.INTEGER:
        return b"%d" % (number * 37 % 5000)
    return b'Monitor 27" <%d> & more' % number if number % 25 == 0 else b"ThinkPad T14 Gen %d" % number


def run(writer_class: type[FormatWriter], blocks: int) -> None:
    order = FileHeader(
        export_id="0" * 36,
        resource="assets",
        resource_label="Assets",
        format=writer_class.name,
        exported_at=datetime(2025, 10, 30, tzinfo=UTC),
        item_count=ROWS * blocks,
        columns=COLUMNS,
    )
    writer, rows = writer_class(order, NullStream()), make_block(writer_class)
    writer.open()
    for _ in range(blocks):
        writer.write(rows)
    writer.close()


if __name__ == "__main__":
    run(format_writers()[sys.argv[1]], int(sys.argv[2]))
