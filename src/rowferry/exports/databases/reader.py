"""What all readers share: a connection of their own with one snapshot, a count, and rows in blocks."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Self

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.utils import timezone

from rowferry.exports import conf
from rowferry.exports.databases import connection_context, connection_pool
from rowferry.exports.databases.value_sql import CellExpression, Change, ValueSql, process_cell
from rowferry.exports.databases.value_text import unescape_json
from rowferry.exports.encoding.blocks import CELL, CellBlock, split
from rowferry.exports.encoding.pushdown import PushDown
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.errors import SourceFault

BLOCK_ROWS = 2_000
ESCAPE = b"\\u"
"""What a letter beyond ASCII may begin with in stored JSON."""


@dataclass(frozen=True, slots=True)
class Size:
    """A number of rows; not `exact` = an estimate, never below what was counted: 0 = nobody knows."""

    rows: int
    exact: bool = True


class Reader(ABC):
    """One snapshot of one database.

    Its connection is its own, so that a long read meets nobody's transaction. Only inside the caller's own
    `transaction.atomic()` it reads on the caller's connection: whoever exports within a transaction means the rows
    as they are there. `repeatable` says whether a count and a read see the same rows.
    """

    begin: ClassVar[Sequence[str]] = ()
    """Statements that take the snapshot on an own connection."""

    reusable: ClassVar[bool] = False
    """Whether a connection, rolled back, is as good as a new one, and dear enough to be kept for the next reader."""

    value_sql: ValueSql | None = None
    """How this database writes values; None = Python does."""

    def __init__(self, alias: str, context: Any = None) -> None:
        self.alias = alias
        self.context = context
        """What ROWFERRY_PREPARE_CONNECTION is told."""
        default_connection = connections[alias]
        self.owned = not default_connection.in_atomic_block
        self.wrapper: BaseDatabaseWrapper = default_connection
        self._closed = False
        self._is_idle = True
        """Whether no read is under way, and none was broken off."""
        self.snapshot_at: datetime = timezone.now()
        self.adjustments: Counter[str] = Counter()
        """How many values were not what their columns hold: `replaced_characters`, `irregular_values`."""
        if self.owned:
            self._open()

    @staticmethod
    def vendor_of(alias: str) -> str:
        return str(connections[alias].vendor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the snapshot and the connection back."""
        if not self.owned or self._closed:
            return
        self._closed = True
        if self._is_reusable() and self._is_idle:
            connection_pool.keep(self.alias, self.wrapper)
        else:
            connection_pool.close(self.wrapper)

    @property
    def repeatable(self) -> bool:
        return self.owned

    def count(self, queryset: QuerySet[Any]) -> int:
        """How many rows the queryset has in this snapshot."""
        try:
            unordered = queryset if queryset.query.is_sliced else queryset.order_by()
            sql, params = self.compile(unordered.values("pk"))
        except EmptyResultSet:
            return 0
        with self.wrapper.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM ({sql}) AS counted", params)  # noqa: S608  (compiled by Django)
            return int(cursor.fetchone()[0])

    def size(self, queryset: QuerySet[Any], count_limit: int) -> Size:
        """How many rows, without a scan of a huge table: counted up to `count_limit` and for COUNT_TIME at most,
        estimated beyond."""
        row_count = self._count_within_timeout(queryset.order_by()[: count_limit + 1])
        if row_count is not None and row_count <= count_limit:
            return Size(row_count)
        return Size(max(row_count or 0, self.estimate(queryset.order_by())), exact=False)

    def _count_within_timeout(self, queryset: QuerySet[Any]) -> int | None:
        """None: it took too long. A filter that matches little may have to look at every row of a huge table."""
        timeout = conf.seconds("COUNT_TIME")
        if not self.owned:  # to end a statement may end the caller's transaction
            return self.count(queryset)
        started = time.monotonic()
        try:
            with self.statement_timeout(timeout):
                return self.count(queryset)
        except DatabaseError as error:
            if time.monotonic() - started < timeout.total_seconds():
                raise SourceFault(f"The database did not count the rows: {error}") from error
        return None

    @contextmanager
    def statement_timeout(self, _span: timedelta) -> Iterator[None]:
        """Have the database end a statement that takes longer, where it can; what comes after it may see a later
        snapshot."""
        yield

    def estimate(self, queryset: QuerySet[Any]) -> int:
        """What the database guesses without reading rows; 0 = it has no guess."""
        return 0

    def blocks(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None = None
    ) -> Iterator[CellBlock]:
        """The rows of the queryset in its order, one cell a rendering; with a `pushdown` also as finished lines, where
        this database can write them itself."""
        changes = self.changes(expressions)
        letters = {index: partial(process_cell, unescape_json, None) for index in self.escaped_columns(expressions)}
        self._is_idle = False
        for block in wrap_database_errors(self.read(queryset, expressions, None if changes else pushdown)):
            needed = letters | changes if letters and ESCAPE in block.data else changes
            yield transform_columns(block, len(expressions), needed) if needed and not block.is_encoded else block
        self._is_idle = True

    def changes(self, expressions: Sequence[CellExpression]) -> dict[int, Change]:
        """What Python has to do on the text that this database gives, by column."""
        return {
            i: change
            for i, expression in enumerate(expressions)
            if self.value_sql and (change := expression.post_process(self.value_sql))
        }

    def escaped_columns(self, expressions: Sequence[CellExpression]) -> list[int]:
        """Columns whose letters may be stored as `\\u00fc`, which people read as letters."""
        if self.value_sql is None or not self.value_sql.escaped_json:
            return []
        return [index for index, expression in enumerate(expressions) if expression.kind is ValueType.JSON]

    @abstractmethod
    def read(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None
    ) -> Iterator[CellBlock]:
        """The rows as SQL gives them, before `post_process`. Cells are always right; with a `pushdown`
        lines are better."""

    def compile(self, queryset: QuerySet[Any]) -> tuple[str, Any]:
        """The statement and its parameters, for this reader's connection."""
        sql, params = queryset.query.get_compiler(connection=self.wrapper).as_sql()
        return sql, params

    def _open(self) -> None:
        if self._reopen():
            return
        self.wrapper = connections[self.alias].copy()
        self.wrapper.inc_thread_sharing()  # the next reader may be another thread's
        try:
            self.wrapper.ensure_connection()
            self._begin()
        except BaseException as error:
            connection_pool.close(self.wrapper)
            if isinstance(error, DatabaseError):
                raise SourceFault(f"The database did not give a snapshot: {error}") from error
            raise

    def _reopen(self) -> bool:
        """Whether a connection that an earlier reader left was there, and alive."""
        while self._is_reusable() and (wrapper := connection_pool.take(self.alias)):
            self.wrapper = wrapper
            try:
                self._begin()
            except Error:
                connection_pool.close(wrapper)
            else:
                return True
        return False

    def _is_reusable(self) -> bool:
        return self.reusable and not connection_context.is_prepared()

    def _begin(self) -> None:
        """Take the snapshot, with what the project sets on its connections."""
        self._take_snapshot()
        connection_context.prepare(self.wrapper, self.context)

    def _take_snapshot(self) -> None:
        with self.wrapper.cursor() as cursor:
            for statement in self.begin:
                cursor.execute(statement)


def wrap_database_errors(blocks: Iterator[CellBlock]) -> Iterator[CellBlock]:
    """The blocks; what the database says when it breaks off becomes a SourceFault."""
    try:
        yield from blocks
    except EmptyResultSet:
        return
    except DatabaseError as error:
        raise SourceFault(f"The database broke off the read: {error}") from error


def transform_columns(block: CellBlock, width: int, changes: dict[int, Change]) -> CellBlock:
    """The block with some columns put through a function, NULL left alone."""
    cells = split(block.data, block.rows, width)
    for index, change in changes.items():
        cells[index::width] = map(change, cells[index::width])
    return CellBlock(CELL.join(cells), block.rows)
