"""Rows as JSON objects, flat or nested: what JSON and NDJSON are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from rowferry.exports.cells import CELL, NULL, Block, glue, split
from rowferry.exports.kinds import NUMBERS, Kind

if TYPE_CHECKING:
    from rowferry.exports.sinks import SinkColumn

BARE = NUMBERS | {Kind.BOOLEAN, Kind.JSON}
"""Kinds whose text is JSON as it stands; every other kind becomes a string."""
NOT_ALWAYS_NUMBERS = NUMBERS - {Kind.INTEGER}
ESCAPED = '\\"' + "".join(map(chr, range(0x20)))
"""The backslash first: the escapes of the others hold one."""
ESCAPES = tuple((character.encode(), json.dumps(character)[1:-1].encode()) for character in ESCAPED)
ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks in text that is JSON already can only stand between its tokens."""
NUMBER_BYTES = b"0123456789-+.eE" + NULL
NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|" + NULL)


class Objects:
    """The objects of one file, each on a line of its own.

    Numbers and booleans are bare. NaN and infinities are strings, since JSON has no such numbers.
    """

    def __init__(self, columns: Sequence[SinkColumn], *, nested: bool, separator: bytes) -> None:
        self._width = len(columns)
        self._layout = layout_of(columns, nested, separator)
        self._raw = [index for index, column in enumerate(columns) if column.kind == Kind.JSON]
        self._numbers = [index for index, column in enumerate(columns) if column.kind in NOT_ALWAYS_NUMBERS]

    def rows(self, block: Block, before: bytes = b"", after: bytes = b"") -> bytes:
        """The objects of a block that is not empty, with the separator between them."""
        layout = self._layout
        cells = self._placed(self._cells(block))
        rows = glue(cells, layout.literals, before + layout.first, layout.last + after)
        return nulls(rows, layout.empty_objects)

    def _cells(self, block: Block) -> list[bytes]:
        """Cells that are valid between the literals: escaped, but for those that are JSON already."""
        width = self._width
        cells = split(escaped(block.data), block.rows, width)
        if self._raw:
            raw = split(block.data.translate(ON_ONE_LINE), block.rows, width)
            for index in self._raw:
                cells[index::width] = raw[index::width]
        for index in self._numbers:
            column = cells[index::width]
            if b"".join(column).translate(None, NUMBER_BYTES):
                cells[index::width] = map(number, column)
        return cells

    def _placed(self, cells: list[bytes]) -> list[bytes]:
        """The cells in the order in which the columns stand in the file."""
        width = self._width
        if self._layout.places == tuple(range(width)):
            return cells
        placed = cells.copy()
        for place, index in enumerate(self._layout.places):
            placed[place::width] = cells[index::width]
        return placed


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


def layout_of(columns: Sequence[SinkColumn], nested: bool, separator: bytes) -> Layout:
    """Flat rows; or, nested, columns that share an object stand in it, where the first of them would have stood."""
    fields: dict[tuple[str, bool], list[int]] = {}
    for index, column in enumerate(columns):
        field = (column.nest[0], True) if nested and column.nest else (column.name, False)
        fields.setdefault(field, []).append(index)
    values = [value_of([columns[index] for index in indices], field[1]) for field, indices in fields.items()]
    row = b"{" + b",".join(member(field[0], value) for field, value in zip(fields, values, strict=True)) + b"}"
    first, *between, last = row.split(CELL)
    return Layout(
        places=tuple(index for indices in fields.values() for index in indices),
        literals=(last + separator + first, *between),
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
