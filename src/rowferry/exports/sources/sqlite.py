"""SQLite: each row arrives as one blob of joined cells, so that Python touches rows and never cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.cells import CELL, NULL, Block
from rowferry.exports.kinds import TEXTS
from rowferry.exports.rendering import RenderedText, Rendering, exact
from rowferry.exports.sources.reader import BLOCK_ROWS, Reader

UNMARKED = bytes.maketrans(CELL + NULL, b"  ")


class JoinedRow(Func):
    """`a ‖ CELL ‖ b ‖ CELL ‖ c` as a blob.

    `||` keeps NUL and every other byte of a text. Numbers, dates and the like hold none, so that printf, which would
    stop at NUL and is faster, may join those that stand together.
    """

    output_field = BinaryField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        parts, params = [], list[Any]()
        for is_text, group in groupby(self.get_source_expressions(), holds_text):
            cells = []
            for expression in group:
                sql, own = compiler.compile(expression)
                cells.append(f"coalesce({sql}, x'{NULL.hex()}')")
                params += own
            parts += cells if is_text else [printed(cells)]
        joined = f" || x'{CELL.hex()}' || ".join(parts)
        return f"CAST({joined} AS BLOB)", tuple(params)


def holds_text(expression: RenderedText) -> bool:
    """Whether people typed it; a path that is no plain field may hold anything."""
    rendering = expression.rendering
    return rendering is None or rendering.kind in TEXTS or not isinstance(rendering.path, str)


def printed(cells: Sequence[str]) -> str:
    form = CELL.join([b"%s"] * len(cells))
    return f"printf(x'{form.hex()}', {', '.join(cells)})"


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

    def read(self, queryset: QuerySet[Any], renderings: Sequence[Rendering]) -> Iterator[Block]:
        self.wrapper.connection.create_function("rowferry_float", 1, exact, deterministic=True)
        row = JoinedRow(*(one.expression() for one in renderings))
        done = 0
        for rows in self._fetch(queryset.annotate(rowferry_row=row).values_list("rowferry_row")):
            data = CELL.join(chain.from_iterable(rows))
            if not is_sound(data, len(rows) * len(renderings)):
                yield from self._read_cells(queryset[done:], renderings)
                return
            done += len(rows)
            yield Block(data, len(rows))

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


def is_sound(data: bytes, cells: int) -> bool:
    """Whether every mark is ours and all text is UTF-8: SQLite keeps whatever bytes somebody once stored as text."""
    if data.count(CELL) != cells - 1 or not has_whole_nulls(data):
        return False
    try:
        str(data.translate(UNMARKED), "utf-8")
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
