"""SQLite: a page of rows arrives as one blob that `printf` has made, so that Python touches pages and never cells."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import chain, cycle
from threading import Lock
from typing import Any

from django.db import DataError
from django.db.models import Func, QuerySet, Value

from rowferry.exports.databases.marked_numbers import can_be_marked, has_digits, marked_rule
from rowferry.exports.databases.prefetch import prefetch
from rowferry.exports.databases.reader import BLOCK_ROWS, Reader, wrap_database_errors
from rowferry.exports.databases.sqlite.paging import Page, Paging, follows_key, paging
from rowferry.exports.databases.sqlite.rows import (
    SingleCell,
    can_be_objects,
    cell_row,
    dates_in_objects,
    is_date,
    line_row,
    number_row,
    object_row,
    runs_of_dates,
    with_conditions,
)
from rowferry.exports.databases.sqlite.stored_dates import DatesInObjects, StoredDates
from rowferry.exports.databases.sqlite.values import VALUES, add_functions
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, REPLACEMENT, CellBlock, has_valid_nulls, is_utf8
from rowferry.exports.encoding.delimited import LINE_END
from rowferry.exports.encoding.pushdown import CsvRows, JsonRows, MarkedCells, PushDown
from rowferry.exports.encoding.value_types import Representation

STEPS = 50_000
"""Instructions of SQLite between two looks at the clock: about a millisecond."""
UNMARKED = bytes.maketrans(CELL + NULL, b"  ")
QUOTED_NULL = b'"' + NULL + b'"'


class SQLiteReader(Reader):
    """A read-only connection in a deferred transaction: in WAL mode a snapshot that no writer waits for."""

    begin = ("PRAGMA query_only = 1", "BEGIN DEFERRED")
    value_sql = VALUES

    def __init__(self, alias: str, context: Any = None) -> None:
        self._statement_lock = Lock()
        super().__init__(alias, context)
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
        add_functions(self.wrapper.connection)
        if isinstance(pushdown, MarkedCells) and not can_be_marked(expressions, pushdown):
            pushdown = None
        layout = choose_layout(expressions, pushdown)
        row_paging = self._paging(queryset, layout.row, layout.separator)
        if row_paging:
            yield from self._read_pages(queryset, expressions, layout, row_paging)
        else:
            yield from self._read_rows(queryset, expressions, layout)

    def _read_pages(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], layout: Layout, row_paging: Paging
    ) -> Iterator[CellBlock]:
        """Page by page. A page with a value that its layout cannot hold is read again, cell by cell."""
        keyset = row_paging.keyset
        last_key: Any = keyset.start
        try:
            with closing(self._pages(row_paging)) as pages:
                for page in pages:
                    again = queryset.filter(**{keyset.lookup: Value(last_key)})[: page.rows]
                    reread = partial(self._reread, again, expressions)
                    block = layout.make_block(page.data, page.rows) or reread()
                    yield replace(block, cells=reread) if block.is_encoded else block
                    last_key = page.last_key
        except DataError:
            """This page is longer than a value may be: from here on rows come one by one."""
            yield from self._read_rows(queryset.filter(**{keyset.lookup: Value(last_key)}), expressions, layout)

    def _reread(self, rows: QuerySet[Any], expressions: Sequence[CellExpression]) -> CellBlock:
        """One page, cell by cell."""
        with self._statement_lock:
            (block,) = wrap_database_errors(self._read_cells(rows, expressions))
        return block

    def _read_rows(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], layout: Layout
    ) -> Iterator[CellBlock]:
        """Row by row, where pages cannot be. From the first value on that its layout cannot hold, cell by cell."""
        if layout.needs_pages:
            layout = choose_layout(expressions, None)
        rows_read = 0
        row_cells = queryset.annotate(rowferry_row=SingleCell(layout.row)).values_list("rowferry_row")
        with closing(self._fetch(row_cells)) as lists:
            for rows in lists:
                data = layout.separator.join(chain.from_iterable(rows))
                block = layout.make_block(data, len(rows))
                if block is None:
                    break
                rows_read += len(rows)
                yield block
            else:
                return
        yield from self._read_cells(queryset[rows_read:], expressions)

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
        """The slow way, cell by cell: for values that are not valid, and for text that is no UTF-8, of which U+FFFD
        stands for what can't be read."""
        cells = {
            f"rowferry_{i}": SingleCell(expression.checked_sql(VALUES)) for i, expression in enumerate(expressions)
        }
        may_be_irregular = [bool(VALUES.rule(expression).valid) for expression in expressions]
        for rows in self._fetch(queryset.annotate(**cells).values_list(*cells)):
            pairs = zip(chain.from_iterable(rows), cycle(may_be_irregular), strict=False)
            texts = [self._repair(cell, may_be_irregular=may) for cell, may in pairs]
            yield CellBlock(CELL.join(texts), len(rows))

    def _repair(self, cell: bytes | None, *, may_be_irregular: bool) -> bytes:
        """The cell as UTF-8, behind its mark."""
        if may_be_irregular and cell and cell[:1] == IRREGULAR:
            return IRREGULAR + repair_utf8(cell[1:], self.adjustments)
        return repair_utf8(cell, self.adjustments)

    def _fetch(self, queryset: QuerySet[Any]) -> Generator[list[tuple[bytes, ...]], None, None]:
        sql, params = self._statement(queryset)
        cursor, wrap_errors = self.wrapper.connection.cursor(), self.wrapper.wrap_database_errors
        fetch = wrap_errors(cursor.fetchmany)
        try:
            wrap_errors(cursor.execute)(sql, params)
            while rows := fetch(BLOCK_ROWS):
                yield rows
        finally:
            cursor.close()


@dataclass(frozen=True, slots=True)
class Layout:
    """What to select as a row, what stands between two of them, and what makes a block of them.

    `dates` says where dates stand in a row. `make_block` gives None if some value does not fit: it is not valid for its
    column, it is no UTF-8, or it holds one of the marks.
    """

    row: Func
    separator: bytes
    dates: StoredDates | DatesInObjects
    make: Callable[[bytes, int], CellBlock | None]
    needs_pages: bool = False
    """Whether only what can be read again may come in this layout."""

    def make_block(self, data: bytes, rows: int) -> CellBlock | None:
        """The rows as a block."""
        checked_data = self.dates.take(data, rows)
        return None if checked_data is None else self.make(checked_data, rows)


def choose_layout(expressions: Sequence[CellExpression], pushdown: PushDown | None) -> Layout:
    """The rows that the format asks for, or cells."""
    runs = runs_of_dates(expressions)
    behind = StoredDates((tuple(chain.from_iterable(runs)),) if runs else ())
    if isinstance(pushdown, CsvRows):
        line = with_conditions(line_row(expressions, pushdown), expressions)
        inline = StoredDates(runs, pushdown.delimiter.encode(), null=b"")
        return Layout(line, b"", inline, partial(csv_block, pushdown=pushdown))
    if isinstance(pushdown, JsonRows) and can_be_objects(pushdown):
        dates = dates_in_objects(expressions, pushdown)
        return Layout(
            with_conditions(object_row(expressions, pushdown), expressions), pushdown.separator, dates, encoded_block
        )
    if isinstance(pushdown, MarkedCells):
        # What has few digits is valid, and what has not is marked.
        others = (expression for expression in expressions if not has_digits(expression))
        marked = number_row(expressions, partial(marked_rule, sql=VALUES))
        return Layout(with_conditions(marked, others), CELL, behind, marked_block, needs_pages=True)
    make = partial(cell_block, width=len(expressions))
    if any(expression.form is not Representation.PLAIN for expression in expressions if is_date(expression)):
        return Layout(with_conditions(number_row(expressions, VALUES.rule), expressions), CELL, behind, make)
    row = with_conditions(cell_row(expressions), expressions)
    return Layout(row, CELL, StoredDates(runs, CELL), make)


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
    return encoded_block(data, rows)


def encoded_block(data: bytes, rows: int) -> CellBlock | None:
    """The rows as they stand in the file, or None, as above."""
    return CellBlock(data, rows, is_encoded=True) if is_utf8(data) else None


def marked_block(data: bytes, rows: int) -> CellBlock:
    """The rows with their marks: the format looks at them itself, and takes the cells of a page that is not plain."""
    return CellBlock(data, rows, is_encoded=True)


def repair_utf8(cell: bytes | None, counts: Counter[str]) -> bytes:
    """UTF-8, or NULL. Adds to `replaced_characters`."""
    if cell is None:
        return NULL
    text = cell.decode("utf-8", "replace").encode()
    if text != cell:
        counts["replaced_characters"] += text.count(REPLACEMENT) - cell.count(REPLACEMENT)
    return text
