"""How SQLite writes a row as one text: its cells, a line of CSV, or a JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.databases.value_sql import RenderedText
from rowferry.exports.encoding.blocks import CELL, NULL, SPARE
from rowferry.exports.encoding.delimited import LINE_END
from rowferry.exports.encoding.pushdown import CsvRows, JsonRows, MarkedCells, Member
from rowferry.exports.encoding.value_types import TEXTS, ValueType

MOST_ARGUMENTS = 100
"""Cells of one printf; SQLite allows 127 arguments unless it was built for more."""
Slot = tuple[bytes, str]
"""How printf writes a cell, and what it is given: """
OR_MARK = f"coalesce({{x}}, x'{NULL.hex()}')"
BARE: Slot = (b"%s", "{x}")
"""NULL is nothing here, where the value does not say it itself."""
MARKED: Slot = (b"%s", OR_MARK)
QUOTED: Slot = (b'"%w"', OR_MARK)
"""`%w` doubles the quotes."""

MOST_MEMBERS = 60
"""Of one object, each with its key: a matter of the same limit."""
JSON_TEXT = "CAST({x} AS TEXT)"
JSON_VALUES = dict.fromkeys(ValueType, JSON_TEXT) | {ValueType.INTEGER: "{x}", ValueType.BOOLEAN: "json({x})"}
NOT_FOR_OBJECTS = {ValueType.DECIMAL, ValueType.FLOAT, ValueType.JSON}
"""Kinds whose text SQLite might not take for JSON: NaN, infinities, and what somebody stored."""


class PrintedRow(Func):
    """`cell end cell end …`: each cell in its slot, with its end behind it. No text for anybody who would decode it.

    printf takes NUL for the end of a text. A row with such a text has SPARE at its end, so that the reader sees it.
    """

    output_field = BinaryField()

    def __init__(self, *cells: RenderedText, slots: Sequence[Slot], ends: Sequence[bytes], **extra: Any) -> None:
        super().__init__(*cells, **extra)
        self.slots, self.ends = slots, ends

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        cells = self.get_source_expressions()
        compiled = [compiler.compile(cell) for cell in cells]
        text_cells = [compiler.compile(cell.get_source_expressions()[0]) for cell in cells if holds_text(cell)]
        arguments = [argument.replace("{x}", sql) for (_, argument), (sql, _) in zip(self.slots, compiled, strict=True)]
        formats = [slot + end.replace(b"%", b"%%") for (slot, _), end in zip(self.slots, self.ends, strict=True)]
        starts = range(0, len(arguments), MOST_ARGUMENTS)
        parts = [
            printf_sql(formats[start : start + MOST_ARGUMENTS], arguments[start : start + MOST_ARGUMENTS])
            for start in starts
        ]
        if text_cells:
            has_nul = " OR ".join(f"instr({sql}, char(0))" for sql, _ in text_cells)
            parts.append(f"iif({has_nul}, x'{SPARE.hex()}', '')")
        params = chain.from_iterable(cell_params for _, cell_params in (*compiled, *text_cells))
        return " || ".join(parts), tuple(params)


def printf_sql(formats: Sequence[bytes], arguments: Sequence[str]) -> str:
    return f"printf(x'{b''.join(formats).hex()}', {', '.join(arguments)})"


def holds_text(cell: RenderedText) -> bool:
    """Whether people typed it, so that it may hold NUL."""
    return cell.cell_expression is None or cell.cell_expression.kind in TEXTS


def cell_row(cells: Sequence[RenderedText]) -> PrintedRow:
    """Cells joined by CELL."""
    return PrintedRow(*cells, slots=[MARKED] * len(cells), ends=[*[CELL] * (len(cells) - 1), b""])


def line_row(cells: Sequence[RenderedText], pushdown: CsvRows) -> PrintedRow:
    """A line of the dialect, but for NULL in quotes."""
    slots = [QUOTED if quoted else BARE for quoted in pushdown.quoted]
    return PrintedRow(*cells, slots=slots, ends=[*[pushdown.delimiter.encode()] * (len(cells) - 1), LINE_END])


def marked_row(cells: Sequence[RenderedText], pushdown: MarkedCells) -> PrintedRow:
    """Cells of the dialect, whose numbers are checked and marked already."""
    slots = [MARKED if text else BARE for text in pushdown.texts]
    return PrintedRow(*cells, slots=slots, ends=pushdown.ends)


class ObjectRow(Func):
    """A row as a JSON object. json_object knows every escape, NUL too."""

    output_field = BinaryField()

    def __init__(self, *cells: RenderedText, members: Sequence[Member], **extra: Any) -> None:
        super().__init__(*cells, **extra)
        self.members = members

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        cells: list[RenderedText] = self.get_source_expressions()
        params = list[Any]()

        def value(member: Member) -> str:
            if member.members:
                empty = " AND ".join(f"{value(inner)} IS NULL" for inner in member.members)
                return f"CASE WHEN {empty} THEN NULL ELSE {object_of(member.members)} END"
            cell = cells[member.index]
            sql, cell_params = compiler.compile(cell)
            params.extend(cell_params)
            return JSON_VALUES[cell.cell_expression.kind if cell.cell_expression else ValueType.TEXT].replace(
                "{x}", sql
            )

        def object_of(members: Sequence[Member]) -> str:
            return f"json_object({', '.join(f'{literal(member.key)}, {value(member)}' for member in members)})"

        return object_of(self.members), tuple(params)


def literal(key: str) -> str:
    return "'" + key.replace("'", "''").replace("%", "%%") + "'"


class SingleCell(Func):
    """One cell as a blob."""

    output_field = BinaryField()
    template = "CAST(%(expressions)s AS BLOB)"


def can_be_objects(cells: Sequence[RenderedText], pushdown: JsonRows) -> bool:
    kinds = {cell.cell_expression.kind for cell in cells if cell.cell_expression}
    all_members = [inner for member in pushdown.members for inner in (member, *member.members)]
    return (
        not kinds & NOT_FOR_OBJECTS
        and len(all_members) <= MOST_MEMBERS
        and all(inner.key.isascii() for inner in all_members)
    )
