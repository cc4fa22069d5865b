"""MariaDB and MySQL: each row arrives as one binary string of joined cells, unbuffered and without converters."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

from django.apps import apps
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports import conf
from rowferry.exports.databases.marked_numbers import can_be_marked, marked_rule
from rowferry.exports.databases.mysql.values import VALUES, VALUES_UTF8
from rowferry.exports.databases.reader import BLOCK_ROWS, ESCAPE, Reader
from rowferry.exports.databases.value_sql import CellExpression, Rule
from rowferry.exports.encoding.blocks import AS_TEXT, CELL, NULL, CellBlock
from rowferry.exports.encoding.pushdown import EXACT_DIGITS, MarkedCells, PushDown
from rowferry.exports.errors import SourceFault

SHORT = f" AND CHAR_LENGTH({{x}}) <= {EXACT_DIGITS + 1}"
"""An expression may have more places than its column."""
STORED, UNBUFFERED = 0, 1
OTHER_TEXT = """
    SELECT 1 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND character_set_name NOT IN ('utf8mb4', 'utf8mb3', 'utf8', 'ascii') LIMIT 1
"""
Rows = Sequence[tuple[bytes | None, ...]]


class JoinedRow(Func):
    """`CONCAT_WS(CELL, a, b, c)`, each cell made binary: beside text the marks themselves would be read as text."""

    output_field = BinaryField()

    def as_mysql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, tuple[Any, ...]]:
        compiled_cells = [compiler.compile(cell) for cell in self.get_source_expressions()]
        cells = [f"COALESCE(CAST({sql} AS BINARY), x'{NULL.hex()}')" for sql, _ in compiled_cells]
        params = tuple(chain.from_iterable(cell_params for _, cell_params in compiled_cells))
        return f"CONCAT_WS(x'{CELL.hex()}', {', '.join(cells)})", params


class ResultHandle:
    """The driver's result, which `free` lets go at once.

    An error keeps alive whatever its frames hold until the garbage collector comes. If that comes while the driver is
    at work on the same connection, a result that it frees waits for a lock which that very work holds: for ever.
    """

    def __init__(self, result: Any) -> None:
        self._result = result

    def fetch(self) -> Rows:
        """The next BLOCK_ROWS rows; none = the end."""
        return self._result.fetch_row(BLOCK_ROWS)  # type: ignore[no-any-return]

    def free(self) -> None:
        self._result = None


class MySQLReader(Reader):
    """A consistent snapshot of InnoDB, read only.

    The server would hang up on a reader that is slow for a minute (a browser on a bad line), so it is told to wait as
    long as the export may take, and no longer. On the caller's connection the rows are stored first: there the caller
    may want to ask something else between two blocks, which an unbuffered result forbids.
    """

    begin = (
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )

    value_sql = VALUES

    def _begin(self) -> None:
        super()._begin()
        limit = max_statement_time()
        with self.wrapper.cursor() as cursor:
            cursor.execute(f"SET SESSION net_write_timeout = {int(limit.total_seconds())}, {self._limit(limit)}")
            if not cursor.execute(OTHER_TEXT) and not uses_other_schemas():
                self.value_sql = VALUES_UTF8

    def _limit(self, span: timedelta) -> str:
        """The assignment that ends a statement which takes longer."""
        if getattr(self.wrapper, "mysql_is_mariadb", True):
            return f"SESSION max_statement_time = {max(0.001, span.total_seconds())}"
        return f"SESSION max_execution_time = {max(1, int(span.total_seconds() * 1000))}"

    @contextmanager
    def statement_timeout(self, span: timedelta) -> Iterator[None]:
        with self.wrapper.cursor() as cursor:
            cursor.execute(f"SET {self._limit(span)}")
            try:
                yield
            finally:
                cursor.execute(f"SET {self._limit(max_statement_time())}")

    def estimate(self, queryset: QuerySet[Any]) -> int:
        """What the optimizer expects, by its statistics: rows it reads of each table, and the share that it keeps."""
        sql, params = self.compile(queryset.values("pk"))
        explain = "EXPLAIN EXTENDED" if getattr(self.wrapper, "mysql_is_mariadb", True) else "EXPLAIN"
        with self.wrapper.cursor() as cursor:
            cursor.execute(f"{explain} {sql}", params)
            names = [column[0] for column in cursor.description]
            steps = [dict(zip(names, step, strict=True)) for step in cursor.fetchall()]
        row_estimates = [
            float(step["rows"] or 0) * float(step["filtered"] or 0) / 100 for step in steps if step["id"] == 1
        ]
        return int(math.prod(row_estimates))

    def read(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None
    ) -> Iterator[CellBlock]:
        rules: list[Rule | None] = [None] * len(expressions)
        is_marked = isinstance(pushdown, MarkedCells) and can_be_marked(expressions, pushdown)
        if is_marked:
            rules = [marked_rule(expression, self.value_sql, SHORT) for expression in expressions]
        cells = [
            expression.checked_sql(self.value_sql, rule) for expression, rule in zip(expressions, rules, strict=True)
        ]
        has_json = bool(self.escaped_columns(expressions))
        sql, params = self.compile(queryset.annotate(rowferry_row=JoinedRow(*cells)).values_list("rowferry_row"))
        with closing(self._rows(sql, params)) as lists:
            for rows in lists:
                data, count = join_rows(rows), len(rows)
                # People read the letters of JSON, so such rows go through Python.
                if is_marked and not (has_json and ESCAPE in data):
                    yield CellBlock(data, count, is_encoded=True, cells=partial(cells_of, data, count))
                else:
                    yield cells_of(data, count)

    def _rows(self, sql: str, params: Sequence[Any]) -> Generator[Rows, None, None]:
        """Lists of BLOCK_ROWS. Closed early, the statement is ended, so that the connection can be used again."""
        connection, wrap_errors = self.wrapper.connection, self.wrapper.wrap_database_errors
        with closing(connection.cursor()) as cursor:
            statement = cursor.mogrify(sql, params)
        wrap_errors(connection.query)(statement)
        store_mode = UNBUFFERED if self.owned else STORED
        driver: Any = self.wrapper.Database  # type: ignore[attr-defined]
        result = ResultHandle(wrap_errors(driver._mysql.result)(connection, store_mode, {}))
        try:
            while rows := wrap_errors(result.fetch)():
                yield rows
        except GeneratorExit:
            if self.owned and self.wrapper.connection is not None:
                self._kill_query(connection.thread_id(), result)
            raise
        finally:
            result.free()

    def _kill_query(self, thread_id: int, result: ResultHandle) -> None:
        """Leave a statement that still runs; the transaction stays."""
        second_connection = self.wrapper.copy()
        with suppress(DatabaseError), closing(second_connection), second_connection.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(thread_id)}")
        with suppress(DatabaseError):
            while self.wrapper.wrap_database_errors(result.fetch)():
                pass


def max_statement_time() -> timedelta:
    """How long a statement, or a client that takes its rows, may take."""
    return timedelta(seconds=int(conf.seconds("TIME_LIMIT").total_seconds()) + 1)


def uses_other_schemas() -> bool:
    """Whether a model's table lies in another schema, where text may be anything."""
    return any("." in model._meta.db_table for model in apps.get_models())


def cells_of(data: bytes, rows: int) -> CellBlock:
    """The rows as cells without the mark of numbers that a sheet does not hold."""
    return CellBlock(data.replace(AS_TEXT, b""), rows)


def join_rows(rows: Rows) -> bytes:
    """The rows of one block. The server answers NULL where a row is longer than it may be."""
    try:
        return CELL.join(chain.from_iterable(rows))  # type: ignore[arg-type]
    except TypeError as error:
        raise SourceFault("A row is longer than max_allowed_packet of the database allows: raise that.") from error
