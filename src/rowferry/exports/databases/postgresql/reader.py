"""PostgreSQL: `COPY … TO STDOUT` in text form, on a connection of its own; nothing becomes a Python value on the
way."""

from __future__ import annotations

import json
import re
import select
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet

from rowferry.exports import conf
from rowferry.exports.databases.postgresql.values import MARK, VALUES
from rowferry.exports.databases.reader import BLOCK_ROWS, Reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, CellBlock
from rowferry.exports.encoding.delimited import write_irregular
from rowferry.exports.encoding.pushdown import CsvRows, PushDown
from rowferry.exports.encoding.value_types import TEXTS

FIRST_ROWS = 200
"""Rows of the first block of finished lines: whoever waits for a file sees it begin."""
CELLS_FORM = r"(NULL E'\b')"
"""A backspace within text is escaped, so that a bare one can stand for NULL."""
BARE = bytes.maketrans(b"\t\n\b", CELL + CELL + NULL)
ESCAPED = {ord(letter): bytes([code]) for letter, code in zip("btnvfr", range(8, 14), strict=True)}
COPY_OUT, FATAL_ERROR = 3, 7
CONNECTION_OK = 0
"""ExecStatus and ConnStatus of libpq: named here because the module must load where psycopg is not installed."""


class PostgreSQLReader(Reader):
    """One REPEATABLE READ, READ ONLY transaction. `statement_timeout` ends a statement that the worker's own limit
    would end."""

    begin = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL datestyle TO ISO",
        "SET LOCAL intervalstyle TO iso_8601",
    )

    reusable = True
    value_sql = VALUES

    def _take_snapshot(self) -> None:
        self._run("; ".join([*self.begin, f"SET LOCAL statement_timeout TO {max_statement_ms()}"]))

    @contextmanager
    def statement_timeout(self, span: timedelta) -> Iterator[None]:
        self._run(f"SET LOCAL statement_timeout TO {milliseconds(span)}")
        try:
            yield
        except DatabaseError:
            self.wrapper.rollback()
            self._begin()
            raise
        self._run(f"SET LOCAL statement_timeout TO {max_statement_ms()}")

    def _run(self, statements: str) -> None:
        """On one way to the server and back, however many there are."""
        with self.wrapper.wrap_database_errors:
            self.wrapper.connection.execute(statements, prepare=False)

    def estimate(self, queryset: QuerySet[Any]) -> int:
        sql, params = self.compile(queryset.values("pk"))
        with self.wrapper.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0]
        return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])

    def read(
        self, queryset: QuerySet[Any], expressions: Sequence[CellExpression], pushdown: PushDown | None
    ) -> Iterator[CellBlock]:
        if isinstance(pushdown, CsvRows):
            for rows in self._copy_rows(queryset, expressions, csv_options(pushdown), first_size=FIRST_ROWS):
                lines = with_line_ends(rows)
                if MARK in lines:
                    lines = with_line_ends([self._quote_irregular(row, expressions, pushdown) for row in rows])
                yield CellBlock(lines, len(rows), is_encoded=True)
        else:
            for rows in self._copy_rows(queryset, expressions, CELLS_FORM):
                data = unescape_copy_text(b"".join(rows))
                yield CellBlock(mark_irregular(data, expressions) if MARK in data else data, len(rows))

    def _quote_irregular(self, row: bytes, expressions: Sequence[CellExpression], pushdown: CsvRows) -> bytes:
        """A row of COPY's CSV whose values that are not valid stand in quotes, as text does."""
        if MARK not in row:
            return row
        fields = split_csv_row(row, pushdown.delimiter.encode())
        for index, (field, expression) in enumerate(zip(fields, expressions, strict=True)):
            text = field[1:-1] if field[:1] == b'"' else field
            if expression.kind not in TEXTS and text[:1] == MARK:
                fields[index] = write_irregular(text[1:], guard=pushdown.guard)
                self.adjustments["irregular_values"] += 1
        return pushdown.delimiter.encode().join(fields) + b"\n"

    def _copy_rows(
        self,
        queryset: QuerySet[Any],
        expressions: Sequence[CellExpression],
        copy_options: str,
        first_size: int = BLOCK_ROWS,
    ) -> Iterator[list[bytes]]:
        cells = {cell_name(index): expression.checked_sql(VALUES) for index, expression in enumerate(expressions)}
        sql, params = self.compile(queryset.annotate(**cells).values_list(*cells))
        with self.wrapper.wrap_database_errors:
            with self.wrapper.connection.cursor() as cursor:
                statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT {copy_options}", params)
            yield from read_copy(self.wrapper.connection.pgconn, statement.encode(), first_size, may_cancel=self.owned)


def max_statement_ms() -> int:
    """Milliseconds that a statement may take."""
    return milliseconds(conf.seconds("TIME_LIMIT")) + 1000


def milliseconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() * 1000))  # 0 would be no limit


def csv_options(pushdown: CsvRows) -> str:
    """The options of a COPY that writes these lines."""
    quoted = ", ".join(cell_name(index) for index, quoted in enumerate(pushdown.quoted) if quoted)
    force_quote = f", FORCE_QUOTE ({quoted})" if quoted else ""
    return f"(FORMAT csv, DELIMITER '{pushdown.delimiter}'{force_quote})"


def cell_name(index: int) -> str:
    """What a cell is called in the statement."""
    return f"rowferry_{index}"


def split_csv_row(row: bytes, delimiter: bytes) -> list[bytes]:
    """The fields of a row of COPY's CSV, as they stand in it."""
    end = re.escape(delimiter)
    return re.findall(rb'("(?:[^"]|"")*"|[^"%b\n]*)(?:%b|\n)' % (end, end), row)


def mark_irregular(data: bytes, expressions: Sequence[CellExpression]) -> bytes:
    """Cells with IRREGULAR for MARK at the start of each value that is not valid."""
    cells, width = data.split(CELL), len(expressions)
    for index, expression in enumerate(expressions):
        if expression.kind not in TEXTS:
            column = cells[index::width]
            cells[index::width] = [IRREGULAR + cell[1:] if cell[:1] == MARK else cell for cell in column]
    return CELL.join(cells)


def with_line_ends(rows: Sequence[bytes]) -> bytes:
    """Rows of COPY's CSV with CRLF behind each; line feeds of the text itself stay as they are."""
    data = b"".join(rows)
    if data.count(b"\n") == len(rows):
        return data.replace(b"\n", b"\r\n")
    return b"".join([row[:-1] + b"\r\n" for row in rows])


def unescape_copy_text(rows: bytes) -> bytes:
    """COPY's text form as joined cells. Bare tabs, newlines and backspaces are its own; the text's are escaped."""
    data = rows[:-1].translate(BARE)
    if b"\\" not in data:
        return data
    first, *rest = data.split(b"\\")
    decoded, parts = [first], iter(rest)
    for part in parts:
        # Nothing behind a backslash: the next part begins behind the second of two.
        decoded.append(ESCAPED[part[0]] + part[1:] if part else b"\\" + next(parts))
    return b"".join(decoded)


def read_copy(connection: Any, statement: bytes, first_size: int, *, may_cancel: bool) -> Iterator[list[bytes]]:
    """The rows of a COPY, in one list of `first_size`, then in lists of BLOCK_ROWS, straight from libpq: psycopg's own
    iterator costs as much as the read. Closed early it cancels the statement, or reads it to its end where that would
    undo somebody's transaction."""
    poll = select.poll()
    _send(connection, statement, poll)
    result = connection.get_result()
    if result.status != COPY_OUT:
        _drain(connection)
        raise DatabaseError(result.error_message.decode("utf-8", "replace"))
    try:
        rest = yield from _row_lists(connection, poll, first_size)
    except GeneratorExit:
        if connection.status == CONNECTION_OK:
            _end_early(connection, may_cancel)
        raise
    error = _drain(connection)
    if error:
        raise DatabaseError(error)
    if rest:
        yield rest


def _end_early(connection: Any, may_cancel: bool) -> None:
    """Leave a COPY that still runs."""
    if may_cancel:
        connection.get_cancel().cancel()
    while connection.get_copy_data(0)[0] > 0:
        pass
    _drain(connection)


def _row_lists(connection: Any, poll: select.poll, size: int) -> Generator[list[bytes], None, list[bytes]]:
    """Full lists of rows as they come; returns the last ones once the COPY is at its end."""
    rows: list[bytes] = []
    fetch, append_row = connection.get_copy_data, rows.append
    while True:
        length, data = fetch(1)
        if length > 0:
            append_row(bytes(data))
            if len(rows) == size:
                yield rows
                rows, size = [], BLOCK_ROWS
                append_row = rows.append
        elif length == 0:
            poll.poll()
            connection.consume_input()
        else:
            return rows


def _send(connection: Any, statement: bytes, poll: select.poll) -> None:
    """Send a statement of any length, and wait for the first answer."""
    connection.send_query(statement)
    poll.register(connection.socket, select.POLLIN | select.POLLOUT)
    while connection.flush():
        poll.poll()
        connection.consume_input()
    poll.modify(connection.socket, select.POLLIN)
    while connection.is_busy():
        poll.poll()
        connection.consume_input()


def _drain(connection: Any) -> str:
    """Fetch what is left of the statement; without this the connection would be dead. The error it ended with, or
    ''."""
    error = ""
    while result := connection.get_result():
        if result.status == FATAL_ERROR:
            error = result.error_message.decode("utf-8", "replace").strip()
    return error
