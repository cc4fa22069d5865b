"""How each kind of value becomes text: in SQL where SQL can, in Python where it can't.

`CellExpression.expression()` is a Django expression of text with one template a database; `post_process` is what is
left for Python to do on the text (other zones, floats); `text` does all of it in Python, for databases that have no
templates here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.encoding.blocks import NULL
from rowferry.exports.encoding.value_types import FORMULA_STARTS, TEXTS, Representation, ValueType

EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (the day 0 of spreadsheets, on a wall clock)
FIRST_SERIAL = "1900-03-01"
"""Before this day spreadsheets do not agree (1900 was no leap year): earlier days stay text."""
FIRST_INSTANT, LAST_INSTANT = datetime(1900, 3, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""From and up to: what a sheet can show on the clock of every zone. Other instants stay text, in UTC."""
ZEROS = re.compile(r"(?<=\.)(\d*[1-9])0+(?!\d)")
"""Zeros at the end of a fraction of a second: PostgreSQL never writes them, SQLite keeps them."""

Change = Callable[[bytes], bytes]

SQLITE_INSTANT = "replace({x}, ' ', 'T') || 'Z'"  # with six digits of a fraction: to trim them costs 12% of a read
POSTGRESQL_INSTANT = "replace((({x}) AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'"
SWITCH = "CASE WHEN {} THEN {} ELSE {} END"
SQLITE_SERIALS = {
    ValueType.DATE: ("{x} >= '1900-03-01'", "CAST(julianday({x}) - 2415018.5 AS INTEGER)", "{x}"),
    ValueType.INSTANT: ("{x} >= '1900-03-02' AND {x} < '9999-12-31'", "julianday({x}) - 2415018.5", SQLITE_INSTANT),
}
"""Which values have a serial number, how it is had (NULL = it was no date, whatever it looks like), how others are
written."""
SQLITE: dict[tuple[ValueType, Representation], str] = {
    (ValueType.DECIMAL, Representation.PLAIN): "CASE WHEN {x} IS NOT NULL THEN printf('%%.{places}f', {x}) END",
    (ValueType.FLOAT, Representation.PLAIN): "rowferry_float({x})",
    (ValueType.BOOLEAN, Representation.PLAIN): "CASE {x} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
    (ValueType.DATE, Representation.SERIAL): "coalesce(CASE WHEN {} THEN {} END, {})".format(
        *SQLITE_SERIALS[ValueType.DATE]
    ),
    (ValueType.INSTANT, Representation.PLAIN): SQLITE_INSTANT,
    (ValueType.INSTANT, Representation.SERIAL): "coalesce(CASE WHEN {} THEN {} END, {})".format(
        *SQLITE_SERIALS[ValueType.INSTANT]
    ),
    (ValueType.TIME, Representation.PLAIN): "CASE length({x}) WHEN 15 THEN rtrim({x}, '0') ELSE {x} END",
    (ValueType.UUID, Representation.PLAIN): (
        "substr({x}, 1, 8) || '-' || substr({x}, 9, 4) || '-' || substr({x}, 13, 4) || '-' || substr({x}, 17, 4)"
        " || '-' || substr({x}, 21)"
    ),
    (ValueType.DURATION, Representation.PLAIN): (
        "CASE WHEN {x} < 0 THEN '-' ELSE '' END || abs({x} / 1000000) || printf('.%%06d', abs({x} %% 1000000))"
    ),
}
POSTGRESQL_SERIALS = {
    ValueType.DATE: (
        "{x} >= '1900-03-01' AND {x} < '10000-01-01'",
        "(({x}) - DATE '1899-12-30')::text",
        "({x})::text",
    ),
    ValueType.INSTANT: (
        "{x} >= '1900-03-02 00:00Z' AND {x} < '9999-12-31 00:00Z'",
        "(date_part('epoch', ({x}) AT TIME ZONE '{zone}') / 86400 + 25569)::text",
        POSTGRESQL_INSTANT,
    ),
}
POSTGRESQL: dict[tuple[ValueType, Representation], str] = {
    (ValueType.BOOLEAN, Representation.PLAIN): "CASE WHEN {x} THEN 'true' WHEN NOT {x} THEN 'false' END",
    (ValueType.BOOLEAN, Representation.DIGIT): "({x})::int",
    (ValueType.DATE, Representation.SERIAL): SWITCH.format(*POSTGRESQL_SERIALS[ValueType.DATE]),
    (ValueType.INSTANT, Representation.PLAIN): POSTGRESQL_INSTANT,
    (ValueType.INSTANT, Representation.SERIAL): SWITCH.format(*POSTGRESQL_SERIALS[ValueType.INSTANT]),
    (ValueType.DURATION, Representation.PLAIN): "extract(epoch FROM {x})",
}
MYSQL_TEXT = "CONVERT({x} USING utf8mb4)"
MYSQL_INSTANT = (
    "CASE MICROSECOND({x}) WHEN 0 THEN CONCAT(INSERT(LEFT({x}, 19), 11, 1, 'T'), 'Z')"
    " ELSE CONCAT(INSERT(TRIM(TRAILING '0' FROM {x}), 11, 1, 'T'), 'Z') END"
)
MYSQL_SERIALS = {
    ValueType.DATE: ("{x} >= '1900-03-01'", "TO_DAYS({x}) - 693959", "{x}"),
    ValueType.INSTANT: (
        "{x} BETWEEN '1927-05-19' AND '2173-10-13'",
        "INSERT((TIMESTAMPDIFF(MICROSECOND, '1899-12-30', {x}) * 125 + 54) DIV 108, 6, 0, '.')",
        "CASE WHEN {x} >= '1900-03-02' AND {x} < '9999-12-31'"
        f" THEN TO_DAYS({{x}}) - 693959 + TIME_TO_SEC(TIME({{x}})) / 86400e0 ELSE {MYSQL_INSTANT} END",
    ),
}
"""An instant whose day has five digits is an integer of eleven more into which the point is put: to print a floating
point number takes MariaDB longer than all the rest of a row."""
MYSQL: dict[tuple[ValueType, Representation], str] = {
    **{(kind, Representation.PLAIN): MYSQL_TEXT for kind in TEXTS},
    (ValueType.BOOLEAN, Representation.PLAIN): "CASE WHEN {x} THEN 'true' WHEN NOT {x} THEN 'false' END",
    (ValueType.DATE, Representation.SERIAL): SWITCH.format(*MYSQL_SERIALS[ValueType.DATE]),
    (ValueType.INSTANT, Representation.PLAIN): MYSQL_INSTANT,
    (ValueType.INSTANT, Representation.SERIAL): SWITCH.format(*MYSQL_SERIALS[ValueType.INSTANT]),
    (
        ValueType.TIME,
        Representation.PLAIN,
    ): "CASE MICROSECOND({x}) WHEN 0 THEN LEFT({x}, 8) ELSE TRIM(TRAILING '0' FROM {x}) END",
    (ValueType.UUID, Representation.PLAIN): (
        "CASE CHAR_LENGTH({x}) WHEN 32 THEN INSERT(INSERT(INSERT(INSERT({x}, 21, 0, '-'), 17, 0, '-'), 13, 0, '-'),"
        " 9, 0, '-') ELSE CAST({x} AS CHAR) END"
    ),
    (ValueType.DURATION, Representation.PLAIN): (
        "CONCAT(IF({x} < 0, '-', ''), ABS({x}) DIV 1000000, '.', LPAD(ABS({x}) %% 1000000, 6, '0'))"
    ),
}
PLAIN_SQL = "{x}"
GUARD_SQLITE = (
    "CASE WHEN {x} COLLATE BINARY < 'A' AND substr({x}, 1, 1) IN ('=', '+', '-', '@', char(9), char(13))"
    " THEN '''' || {x} ELSE {x} END"
)
GUARD_POSTGRESQL = (
    "CASE WHEN ({x})::text COLLATE \"C\" < 'A' AND left(({x})::text, 1) IN ('=', '+', '-', '@', chr(9), chr(13))"
    " THEN '''' || ({x})::text ELSE ({x})::text END"
)
GUARD_MYSQL_UTF8 = "IF(ASCII({x}) > 64, {x}, IF(ASCII({x}) IN (9, 13, 43, 45, 61, 64), CONCAT('''', {x}), {x}))"
GUARD_MYSQL = GUARD_MYSQL_UTF8.replace("{x}", MYSQL_TEXT)
MYSQL_UTF8 = {key: template for key, template in MYSQL.items() if template != MYSQL_TEXT}
"""For a database that has no text in other character sets: to convert all the same costs 14% of a read."""
TEMPLATES = {
    "sqlite": (SQLITE, GUARD_SQLITE),
    "postgresql": (POSTGRESQL, GUARD_POSTGRESQL),
    "mysql": (MYSQL, GUARD_MYSQL),
    "mysql utf8": (MYSQL_UTF8, GUARD_MYSQL_UTF8),
}
"""By vendor: how each kind and form is written, and how guarded text is. A reader that knows more of its database
chooses by the `rowferry_templates` of its connection."""


class RenderedText(Func):
    """The SQL text of one value, by the templates above."""

    output_field = TextField()

    def __init__(self, expression: Any, cell_expression: CellExpression | None = None, **extra: Any) -> None:
        super().__init__(expression, **extra)
        self.cell_expression = cell_expression

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[Any, ...]]:
        cell_expression = self.cell_expression
        assert cell_expression is not None
        x, params = compiler.compile(self.get_source_expressions()[0])
        template = self.sql_template(connection, cell_expression)
        sql = template.replace("{x}", x).replace("{zone}", cell_expression.zone)
        return sql.replace("{places}", str(cell_expression.places)), tuple(params) * template.count("{x}")

    def sql_template(self, connection: BaseDatabaseWrapper, cell_expression: CellExpression) -> str:
        table, guard = TEMPLATES[getattr(connection, "rowferry_templates", connection.vendor)]
        return guard if cell_expression.guard else table.get((cell_expression.kind, cell_expression.form), PLAIN_SQL)

    as_sqlite = as_sql
    """Django has one of its own there, for numbers."""


@dataclass(frozen=True, slots=True)
class CellExpression:
    """One value to be read: where it is, what it is, and how it shall be written."""

    path: str | Combinable
    kind: ValueType
    form: Representation = Representation.PLAIN
    guard: bool = False
    zone: str = "UTC"
    places: int = 6
    """Digits after the point of a decimal, where the database does not keep them (SQLite)."""
    redact: Change | None = None
    """What is done to the text last, by Python: for whom the value is not meant."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "guard", self.guard and self.kind in TEXTS)

    def expression(self) -> RenderedText:
        source = F(self.path) if isinstance(self.path, str) else self.path
        return RenderedText(source, cell_expression=self)

    def post_process(self, vendor: str) -> Change | None:
        """What Python still has to do on each text that the SQL of `vendor` gives; None = nothing."""
        change, redaction = self._change(vendor), self.redact
        if change is None or redaction is None:
            return change or redaction
        return lambda cell: redaction(change(cell))

    def _change(self, vendor: str) -> Change | None:
        if self.kind is ValueType.FLOAT and vendor != "sqlite":
            return positional
        if self.kind is not ValueType.INSTANT or self.zone == "UTC":
            return None
        if self.form is Representation.PLAIN:
            return partial(to_zone, zone=ZoneInfo(self.zone))
        return None if vendor == "postgresql" else partial(serial_to_zone, zone=ZoneInfo(self.zone))

    def text(self, value: Any) -> bytes:
        """The same text from a Python value; None gives the mark NULL."""
        cell = NULL if value is None else self._format_value(value)
        return self.redact(cell) if self.redact else cell

    def _format_value(self, value: Any) -> bytes:
        text = FORMATTERS.get((self.kind, self.form), _plain_text)(value, ZoneInfo(self.zone))
        if self.guard and text.startswith(FORMULA_STARTS):
            text = f"'{text}"
        return text.encode("utf-8", "surrogatepass")


def positional(text: bytes) -> bytes:
    """A float without scientific notation and with no more digits than it takes to read it back."""
    try:
        shortest = repr(float(text))
    except ValueError:
        return text
    return (format(Decimal(shortest), "f") if "e" in shortest else shortest).encode()


def exact_float(value: object) -> str | None:
    """What SQLite calls as `rowferry_float`: its own printf gets the last digits of great and small numbers wrong."""
    return None if value is None else positional(str(value).encode()).decode()


def to_zone(text: bytes, zone: ZoneInfo) -> bytes:
    """`2025-10-30T14:15:00Z` on the clock of a zone, with its offset; what is no such instant stays as it is."""
    try:
        return without_zeros(datetime.fromisoformat(text.decode()).astimezone(zone).isoformat()).encode()
    except (ValueError, OverflowError):
        return text


def serial_to_zone(text: bytes, zone: ZoneInfo) -> bytes:
    """A serial number of an instant in UTC as the serial number of the zone's wall clock."""
    try:
        instant = EPOCH + timedelta(milliseconds=round(float(text) * 86_400_000))
    except (ValueError, OverflowError):
        return text
    return serial(instant.replace(tzinfo=UTC), zone).encode()


def serial(value: datetime, zone: ZoneInfo) -> str:
    """Days since 1899-12-30 on the wall clock of the zone."""
    if not FIRST_INSTANT <= value < LAST_INSTANT:
        return _instant(value, ZoneInfo("UTC"))
    local_time = value.astimezone(zone).replace(tzinfo=None)
    return repr((local_time - EPOCH) / timedelta(days=1))


def without_zeros(text: str) -> str:
    """A time without zeros at the end of its fraction."""
    return ZEROS.sub(r"\1", text) if "." in text else text


def _instant(value: datetime, zone: ZoneInfo) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    text = aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return without_zeros(text) if zone.key == "UTC" else to_zone(text.encode(), zone).decode()


def _seconds(value: timedelta, _zone: ZoneInfo) -> str:
    seconds, microseconds = divmod(abs(value // timedelta(microseconds=1)), 1_000_000)
    return f"{'-' if value < timedelta(0) else ''}{seconds}.{microseconds:06d}"


def _plain_text(value: Any, _zone: ZoneInfo) -> str:
    return str(value)


def _day_serial(value: date, _zone: ZoneInfo) -> str:
    return str((value - EPOCH.date()).days) if value.isoformat() >= FIRST_SERIAL else value.isoformat()


FORMATTERS: dict[tuple[ValueType, Representation], Callable[[Any, ZoneInfo], str]] = {
    (ValueType.DECIMAL, Representation.PLAIN): lambda value, _zone: format(value, "f"),
    (ValueType.FLOAT, Representation.PLAIN): lambda value, _zone: positional(repr(value).encode()).decode(),
    (ValueType.BOOLEAN, Representation.PLAIN): lambda value, _zone: "true" if value else "false",
    (ValueType.BOOLEAN, Representation.DIGIT): lambda value, _zone: "1" if value else "0",
    (ValueType.DATE, Representation.SERIAL): _day_serial,
    (ValueType.INSTANT, Representation.PLAIN): _instant,
    (ValueType.INSTANT, Representation.SERIAL): serial,
    (ValueType.TIME, Representation.PLAIN): lambda value, _zone: without_zeros(value.isoformat()),
    (ValueType.DURATION, Representation.PLAIN): _seconds,
    (ValueType.JSON, Representation.PLAIN): lambda value, _zone: json.dumps(value, ensure_ascii=False),
}
