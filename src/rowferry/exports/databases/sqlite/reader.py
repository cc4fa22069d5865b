"""SQLite: a page of rows arrives as one blob that `printf` has made, so that Python touches pages and never cells."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any

from django.db import DataError
from django.db.models import Func, QuerySet, Value

from rowferry.exports.databases.mysql.checked_numbers import marked_cells
from rowferry.exports.databases.prefetch import prefetch
from rowferry.exports.databases.reader import BLOCK_ROWS, Reader, wrap_database_errors
from rowferry.exports.databases.sqlite.paging import Page, Paging, follows_key, paging
from rowferry.exports.databases.sqlite.rows import ObjectRow, SingleCell, can_be_objects, cell_row, line_row, marked_row
from rowferry.exports.databases.value_sql import CellExpression, RenderedText, exact_float
from rowferry.exports.encoding.blocks import CELL, NULL, REPLACEMENT, CellBlock, is_utf8
from rowferry.exports.encoding.delimited import LINE_END
from rowferry.exports.encoding.pushdown import CsvRows, JsonRows, MarkedCells, PushDown

STEPS = 50_000
"""Instructions of SQLite between two looks at the clock: about a millisecond."""
UNMARKED = bytes.maketrans(CELL + NULL, b"  ")
QUOTED_NULL = b'"' + NULL + b'"'


class SQLiteReader(Reader):
    """A read-only connection in a deferred transaction: in WAL mode a snapshot that no writer waits for."""

    begin = ("PRAGMA query_only = 1", "BEGIN DEFERRED")

    def __init__(self, alias: str) -> None:
        self._statement_lock = Lock()
        super().__init__(alias)
        self._connection: sqlite3.Connection = self.wrapper.connection

    def close(self) -> None:
        """As any reader; a page that is being read is no more waited for."""
        if self.owned:
            self._interrupt()
        with self._statement_lock:
            super().close()

    @property
    def repeatable(self) -> bool:
        return True

    @contextmanager
    def statement_timeout(self, span: timedelta) -> Iterator[None]:
        end = time.monotonic() + span.total_seconds()
        self.wrapper.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        try:
            yield
        finally:
            self.wrapper.connection.set_progress_handler(None, 0)

    def read(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None
    ) -> Iterator[CellBlock]:
        self.wrapper.connection.create_function("rowferry_float", 1, exact_float, deterministic=True)
        marked_paging = isinstance(pushdown, MarkedCells) and self._marked_paging(queryset, expressions, pushdown)
        if marked_paging:
            yield from self._read_marked(queryset, expressions, marked_paging)
            return
        cells = [expression.expression() for expression in expressions]
        row, separator, make_block = choose_selection(cells, pushdown)
        rows_read = 0
        with closing(self._read_packs(queryset, row, separator)) as packs:
            for data, rows in packs:
                block = make_block(data, rows)
                if block is None:
                    break
                rows_read += rows
                yield block
            else:
                return
        yield from self._read_cells(queryset[rows_read:], expressions)

    def _marked_paging(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: MarkedCells
    ) -> Paging | None:
        """How rows of this dialect can be read. Only pages: to find one again takes no time."""
        cells = marked_cells(expressions, pushdown, self.wrapper.vendor)
        return self._paging(queryset, marked_row(cells, pushdown), b"") if cells else None

    def _read_marked(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], marked_paging: Paging
    ) -> Iterator[CellBlock]:
        """Page by page. What a row of such a page lacks, or its sink cannot use, is read again."""
        keyset = marked_paging.keyset
        last_key: Any = keyset.start

        def reread(last_key: Any, rows: int) -> CellBlock:
            remaining = queryset.filter(**{keyset.lookup: Value(last_key)})[:rows]
            with self._statement_lock:
                (block,) = wrap_database_errors(self.read(remaining, expressions, None))
            return block

        try:
            with closing(self._pages(marked_paging)) as pages:
                for page in pages:
                    yield CellBlock(page.data, page.rows, is_encoded=True, cells=partial(reread, last_key, page.rows))
                    last_key = page.last_key
        except DataError:
            """This page is longer than a value may be."""
            yield from self.read(queryset.filter(**{keyset.lookup: Value(last_key)}), expressions, None)

    def _read_packs(
        self, queryset: QuerySet[Any], row: Func, separator: bytes
    ) -> Generator[tuple[bytes, int], None, None]:
        """Rows in packs with the separator between them: page by page, or where that cannot be, row by row."""
        row_paging = self._paging(queryset, row, separator)
        if row_paging:
            last_key: Any = row_paging.keyset.start
            try:
                with closing(self._pages(row_paging)) as pages:
                    for page in pages:
                        yield page.data, page.rows
                        last_key = page.last_key
                return
            except DataError:
                """This page is longer than a value may be: from here on rows come one by one."""
                queryset = queryset.filter(**{row_paging.keyset.lookup: Value(last_key)})
        for rows in self._fetch(queryset.annotate(rowferry_row=SingleCell(row)).values_list("rowferry_row")):
            yield separator.join(chain.from_iterable(rows)), len(rows)

    def _paging(self, queryset: QuerySet[Any], row: Func, separator: bytes) -> Paging | None:
        row_paging = paging(queryset, row, separator, self._statement)
        if row_paging is None:
            return None
        with closing(self.wrapper.connection.cursor()) as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {row_paging.sql}", row_paging.params_after(row_paging.keyset.start))
            plan = [str(step[-1], "utf-8") if isinstance(step[-1], bytes) else step[-1] for step in cursor.fetchall()]
        return row_paging if follows_key(plan) else None

    def _pages(self, row_paging: Paging) -> Generator[Page, None, None]:
        """The next one is read while the last is written, unless the caller may use the connection meanwhile."""
        pages = row_paging.pages(self._page)
        return prefetch(pages, self._interrupt) if self.owned else pages

    def _interrupt(self) -> None:
        """End the statement that another thread may have begun."""
        with suppress(sqlite3.ProgrammingError):
            self._connection.interrupt()

    def _page(self, sql: str, params: Sequence[Any]) -> Page:
        wrap_errors = self.wrapper.wrap_database_errors
        with self._statement_lock, closing(wrap_errors(self._connection.cursor)()) as cursor:
            wrap_errors(cursor.execute)(sql, params)
            data, rows, last_key = wrap_errors(cursor.fetchone)()
        return Page(data or b"", rows, last_key)

    def _statement(self, queryset: QuerySet[Any]) -> tuple[str, Any]:
        """As the driver takes it, with `?` for each parameter."""
        sql, params = self.compile(queryset)
        return sql % tuple("?" * len(params)), params

    def _read_cells(self, queryset: QuerySet[Any], expressions: Sequence[CellExpression]) -> Iterator[CellBlock]:
        """The slow way, cell by cell, for text that is no UTF-8: what can't be read becomes U+FFFD."""
        cells = {f"rowferry_{i}": SingleCell(expression.expression()) for i, expression in enumerate(expressions)}
        for rows in self._fetch(queryset.annotate(**cells).values_list(*cells)):
            texts = [repair_utf8(cell, self.adjustments) for cell in chain.from_iterable(rows)]
            yield CellBlock(CELL.join(texts), len(rows))

    def _fetch(self, queryset: QuerySet[Any]) -> Iterator[list[tuple[bytes, ...]]]:
        sql, params = self._statement(queryset)
        cursor, wrap_errors = self.wrapper.connection.cursor(), self.wrapper.wrap_database_errors
        fetch = wrap_errors(cursor.fetchmany)
        try:
            wrap_errors(cursor.execute)(sql, params)
            while rows := fetch(BLOCK_ROWS):
                yield rows
        finally:
            cursor.close()


def choose_selection(
    cells: Sequence[RenderedText], pushdown: PushDown | None
) -> tuple[Func, bytes, Callable[[bytes, int], CellBlock | None]]:
    """What to select, what stands between two such rows, and what makes a block of them."""
    if isinstance(pushdown, CsvRows):
        return line_row(cells, pushdown), b"", partial(csv_block, pushdown=pushdown)
    if isinstance(pushdown, JsonRows) and can_be_objects(cells, pushdown):
        return ObjectRow(*cells, members=pushdown.members), pushdown.separator, json_block
    return cell_row(cells), CELL, partial(cell_block, width=len(cells))


def cell_block(data: bytes, rows: int, width: int) -> CellBlock | None:
    """The rows as cells; None = not every mark is ours, or text is no UTF-8: SQLite keeps whatever bytes somebody
    stored as text."""
    if data.count(CELL) != rows * width - 1 or not has_valid_nulls(data) or not is_utf8(data.translate(UNMARKED)):
        return None
    return CellBlock(data, rows)


def csv_block(data: bytes, rows: int, pushdown: CsvRows) -> CellBlock | None:
    """The rows as lines, or None, as above. A quote within text is doubled, so none stands between delimiter and
    mark."""
    if NULL in data:
        delimiter = pushdown.delimiter.encode()
        data = data.replace(delimiter + QUOTED_NULL, delimiter)
        if pushdown.quoted[0]:
            data = data.removeprefix(QUOTED_NULL).replace(LINE_END + QUOTED_NULL, LINE_END)
    return CellBlock(data, rows, is_encoded=True) if is_utf8(data) else None


def json_block(data: bytes, rows: int) -> CellBlock | None:
    """The rows as objects, or None, as above."""
    return CellBlock(data, rows, is_encoded=True) if is_utf8(data) else None


def has_valid_nulls(data: bytes) -> bool:
    """Whether each NULL mark is a cell of its own, not a byte of broken text. A lone one could still be either."""
    marks = data.count(NULL)
    if not marks:
        return True
    cell_starts = data.count(CELL + NULL) + data.startswith(NULL)
    cell_ends = data.count(NULL + CELL) + data.endswith(NULL)
    return cell_ends == cell_starts == marks


def repair_utf8(cell: bytes | None, counts: Counter[str]) -> bytes:
    """UTF-8, or NULL. Adds to `replaced_characters`."""
    if cell is None:
        return NULL
    text = cell.decode("utf-8", "replace").encode()
    if text != cell:
        counts["replaced_characters"] += text.count(REPLACEMENT) - cell.count(REPLACEMENT)
    return text
