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
        typed = [compiler.compile(cell.get_source_expressions()[0]) for cell in cells if holds_text(cell)]
        texts = [given.replace("{x}", sql) for (_, given), (sql, _) in zip(self.slots, compiled, strict=True)]
        form = [slot + end.replace(b"%", b"%%") for (slot, _), end in zip(self.slots, self.ends, strict=True)]
        steps = range(0, len(texts), MOST_ARGUMENTS)
        parts = [printf_sql(form[at : at + MOST_ARGUMENTS], texts[at : at + MOST_ARGUMENTS]) for at in steps]
        if typed:
            has_nul = " OR ".join(f"instr({sql}, char(0))" for sql, _ in typed)
            parts.append(f"iif({has_nul}, x'{SPARE.hex()}', '')")
        params = chain.from_iterable(own for _, own in (*compiled, *typed))
        return " || ".join(parts), tuple(params)


def printf_sql(form: Sequence[bytes], texts: Sequence[str]) -> str:
    return f"printf(x'{b''.join(form).hex()}', {', '.join(texts)})"


def holds_text(cell: RenderedText) -> bool:
    """Whether people typed it, so that it may hold NUL."""
    return cell.rendering is None or cell.rendering.kind in TEXTS


def cell_row(cells: Sequence[RenderedText]) -> PrintedRow:
    """Cells joined by CELL."""
    return PrintedRow(*cells, slots=[MARKED] * len(cells), ends=[*[CELL] * (len(cells) - 1), b""])


def line_row(cells: Sequence[RenderedText], dialect: CsvRows) -> PrintedRow:
    """A line of the dialect, but for NULL in quotes."""
    slots = [QUOTED if quoted else BARE for quoted in dialect.quoted]
    return PrintedRow(*cells, slots=slots, ends=[*[dialect.delimiter.encode()] * (len(cells) - 1), LINE_END])


def marked_row(cells: Sequence[RenderedText], dialect: MarkedCells) -> PrintedRow:
    """Cells of the dialect, whose numbers are checked and marked already."""
    slots = [MARKED if text else BARE for text in dialect.texts]
    return PrintedRow(*cells, slots=slots, ends=dialect.ends)


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
                empty = " AND ".join(f"{value(one)} IS NULL" for one in member.members)
                return f"CASE WHEN {empty} THEN NULL ELSE {object_of(member.members)} END"
            cell = cells[member.index]
            sql, own = compiler.compile(cell)
            params.extend(own)
            return JSON_VALUES[cell.rendering.kind if cell.rendering else ValueType.TEXT].replace("{x}", sql)

        def object_of(members: Sequence[Member]) -> str:
            return f"json_object({', '.join(f'{literal(one.key)}, {value(one)}' for one in members)})"

        return object_of(self.members), tuple(params)


def literal(key: str) -> str:
    return "'" + key.replace("'", "''").replace("%", "%%") + "'"


class SingleCell(Func):
    """One cell as a blob."""

    output_field = BinaryField()
    template = "CAST(%(expressions)s AS BLOB)"


def can_be_objects(cells: Sequence[RenderedText], dialect: JsonRows) -> bool:
    kinds = {cell.rendering.kind for cell in cells if cell.rendering}
    inside = [one for member in dialect.members for one in (member, *member.members)]
    return not kinds & NOT_FOR_OBJECTS and len(inside) <= MOST_MEMBERS and all(one.key.isascii() for one in inside)
