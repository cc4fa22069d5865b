"""How SQLite writes a row as one text: its cells, a line of CSV, or a JSON object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.cells import CELL, NULL, ODD, SPARE
from rowferry.exports.delimited import LINE_END
from rowferry.exports.dialects import EXACT_DIGITS, Delimited, Keyed, Marked, Member
from rowferry.exports.kinds import TEXTS, Form, Kind
from rowferry.exports.rendering import SQLITE_SERIALS, RenderedText

MOST_ARGUMENTS = 100
"""Cells of one printf; SQLite allows 127 arguments unless it was built for more."""
Slot = tuple[bytes, str]
"""How printf writes a cell, and what it is given: {text} is the rendered value, {x} the value itself."""
OR_MARK = f"coalesce({{text}}, x'{NULL.hex()}')"
BARE: Slot = (b"%s", "{text}")
"""NULL is nothing here."""
MARKED: Slot = (b"%s", OR_MARK)
QUOTED: Slot = (b'"%w"', OR_MARK)
"""`%w` doubles the quotes."""

EXACT = "{x} > -{most} AND {x} < {most}"
"""Text is greater than any number."""
NUMBERS = {
    (Kind.INTEGER, Form.PLAIN): (EXACT, "{x}"),
    (Kind.DECIMAL, Form.PLAIN): (EXACT, "{text}"),
    (Kind.BOOLEAN, Form.DIGIT): ("{x} IN (0, 1)", "{x}"),
    **{(kind, Form.SERIAL): serial for kind, serial in SQLITE_SERIALS.items()},
}
"""Which values are numbers that a spreadsheet holds, and how they are written."""
OR_ODD = f"coalesce(CASE WHEN {{}} THEN {{}} END, x'{ODD.hex()}' || {{{{x}}}}, x'{NULL.hex()}')"
PLACEHOLDER = re.compile(r"\{(x|text)\}")

MOST_MEMBERS = 60
"""Of one object, each with its key: a matter of the same limit."""
JSON_TEXT = "CAST({x} AS TEXT)"
JSON_VALUES = dict.fromkeys(Kind, JSON_TEXT) | {Kind.INTEGER: "{x}", Kind.BOOLEAN: "json({x})"}
NOT_FOR_OBJECTS = {Kind.DECIMAL, Kind.FLOAT, Kind.JSON}
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
        sources = [compiler.compile(cell.get_source_expressions()[0]) for cell in cells]
        typed = [source for cell, source in zip(cells, sources, strict=True) if holds_text(cell)]
        compiled = [
            filled(given, {"text": compiler.compile(cell), "x": source})
            for (_, given), cell, source in zip(self.slots, cells, sources, strict=True)
        ]
        texts = [sql for sql, _ in compiled]
        form = [slot + end.replace(b"%", b"%%") for (slot, _), end in zip(self.slots, self.ends, strict=True)]
        steps = range(0, len(texts), MOST_ARGUMENTS)
        parts = [printed(form[at : at + MOST_ARGUMENTS], texts[at : at + MOST_ARGUMENTS]) for at in steps]
        if typed:
            has_nul = " OR ".join(f"instr({sql}, char(0))" for sql, _ in typed)
            parts.append(f"iif({has_nul}, x'{SPARE.hex()}', '')")
        params = chain.from_iterable(own for _, own in (*compiled, *typed))
        return " || ".join(parts), tuple(params)


def filled(given: str, parts: Mapping[str, tuple[str, Sequence[Any]]]) -> tuple[str, list[Any]]:
    """The template with SQL for its placeholders, and the parameters in the order of the text."""
    params: list[Any] = []

    def put(found: re.Match[str]) -> str:
        sql, own = parts[found[1]]
        params.extend(own)
        return sql

    return PLACEHOLDER.sub(put, given), params


def printed(form: Sequence[bytes], texts: Sequence[str]) -> str:
    return f"printf(x'{b''.join(form).hex()}', {', '.join(texts)})"


def holds_text(cell: RenderedText) -> bool:
    """Whether people typed it, so that it may hold NUL."""
    return cell.rendering is None or cell.rendering.kind in TEXTS


def cell_row(cells: Sequence[RenderedText]) -> PrintedRow:
    """Cells joined by CELL."""
    return PrintedRow(*cells, slots=[MARKED] * len(cells), ends=[*[CELL] * (len(cells) - 1), b""])


def line_row(cells: Sequence[RenderedText], dialect: Delimited) -> PrintedRow:
    """A line of the dialect, but for NULL in quotes."""
    slots = [QUOTED if quoted else BARE for quoted in dialect.quoted]
    return PrintedRow(*cells, slots=slots, ends=[*[dialect.delimiter.encode()] * (len(cells) - 1), LINE_END])


def can_be_marked(cells: Sequence[RenderedText], dialect: Marked) -> bool:
    """Whether SQLite can tell of every number what it is."""
    return all(text or checked(cell) for cell, text in zip(cells, dialect.texts, strict=True))


def marked_row(cells: Sequence[RenderedText], dialect: Marked) -> PrintedRow:
    """Cells of the dialect."""
    slots = [MARKED if text else (b"%s", checked(cell) or "") for cell, text in zip(cells, dialect.texts, strict=True)]
    return PrintedRow(*cells, slots=slots, ends=dialect.ends)


def checked(cell: RenderedText) -> str | None:
    """How printf is given a number, or what else is stored there behind ODD; None = it cannot be told."""
    rendering = cell.rendering
    number = NUMBERS.get((rendering.kind, rendering.form)) if rendering else None
    if rendering is None or number is None:
        return None
    places = rendering.places if rendering.kind is Kind.DECIMAL else 0
    return OR_ODD.format(*number).replace("{most}", f"1{'0' * (EXACT_DIGITS - places)}")


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
            return JSON_VALUES[cell.rendering.kind if cell.rendering else Kind.TEXT].replace("{x}", sql)

        def object_of(members: Sequence[Member]) -> str:
            return f"json_object({', '.join(f'{literal(one.key)}, {value(one)}' for one in members)})"

        return object_of(self.members), tuple(params)


def literal(key: str) -> str:
    return "'" + key.replace("'", "''").replace("%", "%%") + "'"


class SingleCell(Func):
    """One cell as a blob."""

    output_field = BinaryField()
    template = "CAST(%(expressions)s AS BLOB)"


def can_be_objects(cells: Sequence[RenderedText], dialect: Keyed) -> bool:
    kinds = {cell.rendering.kind for cell in cells if cell.rendering}
    inside = [one for member in dialect.members for one in (member, *member.members)]
    return not kinds & NOT_FOR_OBJECTS and len(inside) <= MOST_MEMBERS and all(one.key.isascii() for one in inside)
