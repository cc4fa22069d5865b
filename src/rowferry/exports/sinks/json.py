"""JSON: one object with the facts of the export and, under `data`, one row per line, written as a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import repeat
from typing import Any

from rowferry.exports.cells import CELL, NULL, Block, glue, split
from rowferry.exports.kinds import NUMBERS, Kind
from rowferry.exports.sinks import Order, Sink, SinkColumn, Stream

BARE = NUMBERS | {Kind.BOOLEAN, Kind.JSON}
"""Kinds whose text is JSON as it stands; every other kind becomes a string."""
NOT_ALWAYS_NUMBERS = NUMBERS - {Kind.INTEGER}
ESCAPED = '\\"' + "".join(map(chr, range(0x20)))
"""The backslash first: the escapes of the others hold one."""
ESCAPES = tuple((character.encode(), json.dumps(character)[1:-1].encode()) for character in ESCAPED)
NUMBER_BYTES = b"0123456789-+.eE" + NULL
NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|" + NULL)


class JsonSink(Sink):
    """Numbers and booleans are bare. NaN and infinities are strings, since JSON has no such numbers."""

    name = "json"
    label = "JSON"
    description = "One object with the facts of the export and its rows, for programs. Related values can be nested."
    extension = "json"
    content_type = "application/json"
    can_nest = True

    def __init__(self, order: Order, stream: Stream) -> None:
        super().__init__(order, stream)
        self._layout = layout_of(order)
        self._raw = [index for index, column in enumerate(order.columns) if column.kind == Kind.JSON]
        self._numbers = [index for index, column in enumerate(order.columns) if column.kind in NOT_ALWAYS_NUMBERS]

    def open(self) -> None:
        head = json.dumps(facts(self.order), default=str, separators=(",", ":"))
        self.stream.write(head[:-1].encode() + b',"data":[')

    def write(self, block: Block) -> None:
        if not block.rows:
            return
        layout = self._layout
        first = (b",\n" if self.rows else b"\n") + layout.first
        rows = glue(self._placed(self._cells(block)), layout.literals, first, layout.last)
        self.stream.write(nulls(rows, layout.empty_objects))
        self.rows += block.rows

    def close(self) -> None:
        count = b"" if self.order.item_count is not None else b',"item_count":%d' % self.rows
        self.stream.write((b"\n]" if self.rows else b"]") + count + b"}\n")

    def _cells(self, block: Block) -> list[bytes]:
        """Cells that are valid between the literals: escaped, but for those that are JSON already."""
        cells = split(escaped(block.data), block.rows, self.width)
        if self._raw:
            raw = split(block.data, block.rows, self.width)
            for index in self._raw:
                cells[index :: self.width] = raw[index :: self.width]
        for index in self._numbers:
            column = cells[index :: self.width]
            if b"".join(column).translate(None, NUMBER_BYTES):
                cells[index :: self.width] = map(number, column)
        return cells

    def _placed(self, cells: list[bytes]) -> list[bytes]:
        """The cells in the order in which the columns stand in the file."""
        if self._layout.places == tuple(range(self.width)):
            return cells
        placed = cells.copy()
        for place, index in enumerate(self._layout.places):
            placed[place :: self.width] = cells[index :: self.width]
        return placed


def facts(order: Order) -> dict[str, Any]:
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
    }


def escaped(data: bytes) -> bytes:
    """All cells as they stand between the quotes of a JSON string."""
    for character, escape in ESCAPES:
        if character in data:
            data = data.replace(character, escape)
    return data


def number(cell: bytes) -> bytes:
    """A number or NULL as it is; NaN, Infinity and whatever else is no number in JSON as a string."""
    return cell if NUMBER.fullmatch(cell) else b'"%b"' % cell


def nulls(rows: bytes, empty_objects: Sequence[bytes]) -> bytes:
    """`null` for the marks: first for objects without any value, then for strings, then for bare values."""
    if NULL not in rows:
        return rows
    for empty in empty_objects:
        rows = rows.replace(empty, b"null")
    # Only in the place of a string are there quotes beside a mark: stripping them beats a search for all three bytes.
    return b"null".join(map(bytes.strip, rows.split(NULL), repeat(b'"')))


@dataclass(frozen=True, slots=True)
class Layout:
    """What surrounds the cells of a row. `places` = indices of the columns in the order in which the file has them."""

    places: tuple[int, ...]
    literals: tuple[bytes, ...]
    first: bytes
    last: bytes
    empty_objects: tuple[bytes, ...]
    """Nested objects all of whose values are NULL, as they look before NULL becomes `null`."""


def layout_of(order: Order) -> Layout:
    """Flat rows; or, nested, columns that share an object stand in it, where the first of them would have stood."""
    fields: dict[tuple[str, bool], list[int]] = {}
    for index, column in enumerate(order.columns):
        field = (column.nest[0], True) if order.nested and column.nest else (column.name, False)
        fields.setdefault(field, []).append(index)
    values = [value_of([order.columns[index] for index in indices], field[1]) for field, indices in fields.items()]
    row = b"{" + b",".join(member(field[0], value) for field, value in zip(fields, values, strict=True)) + b"}"
    first, *between, last = row.split(CELL)
    return Layout(
        places=tuple(index for indices in fields.values() for index in indices),
        literals=(last + b",\n" + first, *between),
        first=first,
        last=last,
        empty_objects=tuple(value.replace(CELL, NULL) for field, value in zip(fields, values, strict=True) if field[1]),
    )


def value_of(columns: Sequence[SinkColumn], nested: bool) -> bytes:
    """One column, or an object of several, with CELL (quoted, if it is a string) for each value."""
    slots = [CELL if column.kind in BARE else b'"' + CELL + b'"' for column in columns]
    if not nested:
        return slots[0]
    keys = [column.nest[1] if column.nest else column.name for column in columns]
    return b"{" + b",".join(map(member, keys, slots)) + b"}"


def member(key: str, value: bytes) -> bytes:
    return json.dumps(key).encode() + b":" + value
