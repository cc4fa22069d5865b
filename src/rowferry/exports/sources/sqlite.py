"""SQLite: each row arrives as one blob that `printf` has made, so that Python touches rows and never cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.cells import CELL, NULL, SPARE, Block
from rowferry.exports.delimited import LINE_END
from rowferry.exports.dialects import Delimited, Dialect, Keyed, Member
from rowferry.exports.kinds import TEXTS, Kind
from rowferry.exports.rendering import RenderedText, Rendering, exact
from rowferry.exports.sources.reader import BLOCK_ROWS, Reader

UNMARKED = bytes.maketrans(CELL + NULL, b"  ")
MOST_ARGUMENTS = 100
"""Cells of one printf; SQLite allows 127 arguments unless it was built for more."""
QUOTED_NULL = b'"' + NULL + b'"'
Slot = tuple[bytes, str]
"""How printf writes a cell, and what it is given."""
OR_MARK = f"coalesce({{x}}, x'{NULL.hex()}')"
BARE: Slot = (b"%s", "{x}")
"""NULL is nothing here."""
MARKED: Slot = (b"%s", OR_MARK)
QUOTED: Slot = (b'"%w"', OR_MARK)
"""`%w` doubles the quotes."""


MOST_MEMBERS = 60
"""Of one object, each with its key: a matter of the same limit."""
JSON_TEXT = "CAST({x} AS TEXT)"
JSON_VALUES = dict.fromkeys(Kind, JSON_TEXT) | {Kind.INTEGER: "{x}", Kind.BOOLEAN: "json({x})"}
NOT_FOR_OBJECTS = {Kind.DECIMAL, Kind.FLOAT, Kind.JSON}
"""Kinds whose text SQLite might not take for JSON: NaN, infinities, and what somebody stored."""


class PrintedRow(Func):
    """`cell end cell end …` as a blob: each cell in its slot, with its end behind it.

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
        parts = [printed(form[at : at + MOST_ARGUMENTS], texts[at : at + MOST_ARGUMENTS]) for at in steps]
        if typed:
            has_nul = " OR ".join(f"instr({sql}, char(0))" for sql, _ in typed)
            parts.append(f"iif({has_nul}, x'{SPARE.hex()}', '')")
        params = chain.from_iterable(own for _, own in (*compiled, *typed))
        return f"CAST({' || '.join(parts)} AS BLOB)", tuple(params)


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


class ObjectRow(Func):
    """A row as a JSON object, as a blob. json_object knows every escape, NUL too."""

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

        return f"CAST({object_of(self.members)} AS BLOB)", tuple(params)


def literal(key: str) -> str:
    return "'" + key.replace("'", "''").replace("%", "%%") + "'"


class SingleCell(Func):
    """One cell as a blob."""

    output_field = BinaryField()
    template = "CAST(%(expressions)s AS BLOB)"


class SQLiteReader(Reader):
    """A read-only connection in a deferred transaction: in WAL mode a snapshot that no writer waits for."""

    begin = ("PRAGMA query_only = 1", "BEGIN DEFERRED")

    @property
    def repeatable(self) -> bool:
        return True

    def read(
        self, queryset: QuerySet[Any], renderings: Sequence[Rendering], dialect: Dialect | None
    ) -> Iterator[Block]:
        self.wrapper.connection.create_function("rowferry_float", 1, exact, deterministic=True)
        cells = [one.expression() for one in renderings]
        row, block_of = wanted(cells, dialect)
        done = 0
        for rows in self._fetch(queryset.annotate(rowferry_row=row).values_list("rowferry_row")):
            block = block_of(list(chain.from_iterable(rows)))
            if block is None:
                yield from self._read_cells(queryset[done:], renderings)
                return
            done += block.rows
            yield block

    def _read_cells(self, queryset: QuerySet[Any], renderings: Sequence[Rendering]) -> Iterator[Block]:
        """The slow way, cell by cell, for text that is no UTF-8: what can't be read becomes U+FFFD."""
        cells = {f"rowferry_{i}": SingleCell(one.expression()) for i, one in enumerate(renderings)}
        for rows in self._fetch(queryset.annotate(**cells).values_list(*cells)):
            yield Block(CELL.join(map(repaired, chain.from_iterable(rows))), len(rows))

    def _fetch(self, queryset: QuerySet[Any]) -> Iterator[list[tuple[bytes, ...]]]:
        sql, params = self.compile(queryset)
        cursor, checked = self.wrapper.connection.cursor(), self.wrapper.wrap_database_errors
        fetch = checked(cursor.fetchmany)
        try:
            checked(cursor.execute)(sql % tuple("?" * len(params)), params)
            while rows := fetch(BLOCK_ROWS):
                yield rows
        finally:
            cursor.close()


def wanted(
    cells: Sequence[RenderedText], dialect: Dialect | None
) -> tuple[Func, Callable[[Sequence[bytes]], Block | None]]:
    """What to select, and what makes a block of such rows."""
    if isinstance(dialect, Delimited):
        return line_row(cells, dialect), partial(lines, dialect=dialect)
    if dialect is not None and can_be_objects(cells, dialect):
        return ObjectRow(*cells, members=dialect.members), partial(objects, separator=dialect.separator)
    return cell_row(cells), partial(joined, width=len(cells))


def can_be_objects(cells: Sequence[RenderedText], dialect: Keyed) -> bool:
    kinds = {cell.rendering.kind for cell in cells if cell.rendering}
    inside = [one for member in dialect.members for one in (member, *member.members)]
    return not kinds & NOT_FOR_OBJECTS and len(inside) <= MOST_MEMBERS and all(one.key.isascii() for one in inside)


def joined(rows: Sequence[bytes], width: int) -> Block | None:
    """The rows as cells; None = not every mark is ours, or text is no UTF-8: SQLite keeps whatever bytes somebody
    stored as text."""
    data = CELL.join(rows)
    if data.count(CELL) != len(rows) * width - 1 or not has_whole_nulls(data) or not is_utf8(data.translate(UNMARKED)):
        return None
    return Block(data, len(rows))


def lines(rows: Sequence[bytes], dialect: Delimited) -> Block | None:
    """The rows as lines, or None, as above. A quote within text is doubled, so none stands between delimiter and
    mark."""
    data = b"".join(rows)
    if NULL in data:
        delimiter = dialect.delimiter.encode()
        data = data.replace(delimiter + QUOTED_NULL, delimiter)
        if dialect.quoted[0]:
            data = data.removeprefix(QUOTED_NULL).replace(LINE_END + QUOTED_NULL, LINE_END)
    return Block(data, len(rows), finished=True) if is_utf8(data) else None


def objects(rows: Sequence[bytes], separator: bytes) -> Block | None:
    """The rows as objects, or None, as above."""
    data = separator.join(rows)
    return Block(data, len(rows), finished=True) if is_utf8(data) else None


def is_utf8(data: bytes) -> bool:
    """Whether it can be read. Most data is ASCII, which is seen without a copy of it all."""
    if data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def has_whole_nulls(data: bytes) -> bool:
    """Whether each NULL mark is a cell of its own, not a byte of broken text. A lone one could still be either."""
    marks = data.count(NULL)
    if not marks:
        return True
    after = data.count(CELL + NULL) + data.startswith(NULL)
    before = data.count(NULL + CELL) + data.endswith(NULL)
    return before == after == marks


def repaired(cell: bytes | None) -> bytes:
    return NULL if cell is None else cell.decode("utf-8", "replace").encode()
