"""Rows as JSON objects, flat or nested: what JSON and NDJSON are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, CellBlock, join_cells, split
from rowferry.exports.encoding.pushdown import JsonRows, Member
from rowferry.exports.encoding.value_types import NUMBERS, ValueType

if TYPE_CHECKING:
    from rowferry.exports.formats import FormatColumn

BARE = NUMBERS | {ValueType.BOOLEAN, ValueType.JSON}
"""Kinds whose text is JSON as it stands; every other kind becomes a string."""
ESCAPED = '\\"' + "".join(map(chr, range(0x20)))
"""The backslash first: the escapes of the others hold one."""
ESCAPES = tuple((character.encode(), json.dumps(character)[1:-1].encode()) for character in ESCAPED)
ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks in text that is JSON already can only stand between its tokens."""


class JsonRowEncoder:
    """The objects of one file, each on a line of its own.

    Numbers and booleans are bare. What is not valid for its column, as NaN is no number of JSON, is a string.
    """

    def __init__(self, columns: Sequence[FormatColumn], *, nested: bool, separator: bytes) -> None:
        self._width = len(columns)
        self.pushdown = JsonRows(members_of(columns, nested), separator)
        self._layout = layout_of(columns, self.pushdown)
        self._raw = [index for index, column in enumerate(columns) if column.kind == ValueType.JSON]
        self._bare = {index for index, column in enumerate(columns) if column.kind in BARE}

    def rows(self, block: CellBlock, before: bytes = b"", after: bytes = b"") -> bytes:
        """The objects of a block that is not empty, with the separator between them."""
        layout = self._layout
        cells = self._reorder(self._cells(block))
        rows = join_cells(cells, layout.literals, before + layout.first, layout.last + after)
        return write_nulls(rows, layout.empty_objects)

    def _cells(self, block: CellBlock) -> list[bytes]:
        """Cells that are valid between the literals: escaped, but for those that are JSON already."""
        width = self._width
        cells = split(escape_json(block.data), block.rows, width)
        if self._raw:
            raw = split(block.data.translate(ON_ONE_LINE), block.rows, width)
            for index in self._raw:
                cells[index::width] = raw[index::width]
        if IRREGULAR in block.data:
            return self._with_irregular_texts(cells, split(escape_json(block.data), block.rows, width))
        return cells

    def _with_irregular_texts(self, cells: Sequence[bytes], escaped: Sequence[bytes]) -> list[bytes]:
        """The cells with strings for values that are not valid."""
        return [
            (b'"' + text[1:] + b'"' if index % self._width in self._bare else text[1:])
            if text[:1] == IRREGULAR
            else cell
            for index, (cell, text) in enumerate(zip(cells, escaped, strict=True))
        ]

    def _reorder(self, cells: list[bytes]) -> list[bytes]:
        """The cells in the order in which the columns stand in the file."""
        width = self._width
        if self._layout.column_order == tuple(range(width)):
            return cells
        reordered = cells.copy()
        for position, index in enumerate(self._layout.column_order):
            reordered[position::width] = cells[index::width]
        return reordered


def escape_json(data: bytes) -> bytes:
    """All cells as they stand between the quotes of a JSON string."""
    for character, escape in ESCAPES:
        if character in data:
            data = data.replace(character, escape)
    return data


def write_nulls(rows: bytes, empty_objects: Sequence[bytes]) -> bytes:
    """`null` for the marks: first for objects without any value, then for strings, then for bare values."""
    if NULL not in rows:
        return rows
    for empty in empty_objects:
        rows = rows.replace(empty, b"null")
    # Only in the place of a string are there quotes beside a mark: stripping them beats a search for all three bytes.
    return b"null".join(map(bytes.strip, rows.split(NULL), repeat(b'"')))


@dataclass(frozen=True, slots=True)
class Layout:
    """What surrounds the cells of a row. `column_order` = indices of the columns in the order of the file."""

    column_order: tuple[int, ...]
    literals: tuple[bytes, ...]
    first: bytes
    last: bytes
    empty_objects: tuple[bytes, ...]
    """Nested objects all of whose values are NULL, as they look before NULL becomes `null`."""


def members_of(columns: Sequence[FormatColumn], nested: bool) -> tuple[Member, ...]:
    """Flat rows; or, nested, columns that share an object stand in it, where the first of them would have stood."""
    members: dict[str, Member] = {}
    for index, column in enumerate(columns):
        if nested and column.nest:
            name, key = column.nest
            nested_members = members[f"{name}."].members if f"{name}." in members else ()
            members[f"{name}."] = Member(name, members=(*nested_members, Member(key, index)))
        else:
            members[column.name] = Member(column.name, index)
    return tuple(members.values())


def layout_of(columns: Sequence[FormatColumn], pushdown: JsonRows) -> Layout:
    members = pushdown.members
    first, *between, last = object_template(columns, members).split(CELL)
    return Layout(
        column_order=tuple(leaf.index for member in members for leaf in member.members or (member,)),
        literals=(last + pushdown.separator + first, *between),
        first=first,
        last=last,
        empty_objects=tuple(
            object_template(columns, member.members).replace(CELL, NULL) for member in members if member.members
        ),
    )


def object_template(columns: Sequence[FormatColumn], members: Sequence[Member]) -> bytes:
    """An object with CELL (quoted, if it is a string) for each value."""
    values = (
        object_template(columns, member.members) if member.members else slot(columns[member.index])
        for member in members
    )
    pairs = (json.dumps(member.key).encode() + b":" + value for member, value in zip(members, values, strict=True))
    return b"{" + b",".join(pairs) + b"}"


def slot(column: FormatColumn) -> bytes:
    """Where a value of this column goes, with its quotes."""
    return CELL if column.kind in BARE else b'"' + CELL + b'"'
