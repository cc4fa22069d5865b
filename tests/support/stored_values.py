"""Values as they may stand in a database, planted by SQL: some are not valid for the type of their column.

SQLite stores anything in any column. PostgreSQL has infinities, NaN and years before 1. MariaDB has
days without a month where its `sql_mode` allows them, and times of a month.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from tests.support.all_types_model import Probe


class Sql(str):
    """An expression; any other text is stored as it is."""


def texts(*stored: str) -> dict[str, str]:
    """Texts that are stored as they are, each with itself."""
    return {text: text for text in stored}


NO_NUMBERS = texts("", "12-34", "--5", "0x1F", "1,5", "1.234,56", "NaN", "null", "true", '1"2', "a,b", "a\r\nb", "\\")
IRREGULAR: dict[str, dict[str, dict[str, str]]] = {
    "sqlite": {
        "integer": NO_NUMBERS
        | texts("1-800-555", "2025-01-01", "5 Stück", "１２", "a\tb", "{x}", "%s")
        | {
            Sql("x'31'"): "1",
            Sql("9e999"): "Inf",
            Sql("CAST(x'61006262' AS TEXT)"): "a\0bb",
            Sql("CAST(x'FF61' AS TEXT)"): "\ufffda",
        },
        "decimal": NO_NUMBERS
        | texts("n/a", "1.2.3", "Infinity", "-", "1e", "€ 5")
        | {Sql("9e999"): "Inf", Sql("x'3132'"): "12"},
        "float": NO_NUMBERS | texts("n/a", "1.2.3") | {Sql("9e999"): "Inf", Sql("-9e999"): "-Inf"},
        "boolean": texts("yes", "", "TRUE", "t", "1,0") | {Sql(number): number for number in ("2", "-1", "10", "1.5")},
        "day": texts(
            *(
                "",
                "31/12/2020",
                "2025-02-30",
                "2023-02-29",
                "2025-13-01",
                "2025-04-31",
                "0000-00-00",
                "2025-1-5",
                "now",
            ),
            *(
                "2025-10-30 00:00:00",
                "20251030",
                "12025-01-01",
                "-0044-03-15",
                "2025-10-3x",
                '2025-10-3"',
                "20,5-10-30",
            ),
        )
        | {Sql("45960"): "45960"},
        "instant": texts(
            *("", "06.05.2019", "2019-05-06T07:08:09Z", "2007-01-28T10:00:00+02:00", "2025-10-30", "2025-10-30 10:00"),
            *("2025-02-30 10:00:00", "2025-10-30 24:00:00", "2025-10-30 10:60:00", "2025-10-30 10:00:00Z", "now"),
            *("2025-10-30 10:00:00 +01:00", "0000-00-00 00:00:00", "12025-01-01 00:00:00", "2025-10-30 10:00   "),
            "2025-10-30 10:00:00.5000000",
            *(
                "2025-10-30 10:00:00.12345Z",
                "2025-10-30 10:00:00.5000000",
                "2025-10-30 10:00:00.",
                "2025-10-30 10:00:00,5",
                "2025-10-30 10:00:00,5,5",
            ),
        )
        | {Sql("1761818400"): "1761818400"},
        "clock": texts(
            "838:59:59", "-01:30:00", "24:00:00", "25:00", "", "12:60:00", "9:00", "12:00:00 PM", "12:00:00."
        ),
        "span": texts("n/a", "", "1 day", "P1D", "00:10:00")
        | {Sql("12.5"): "12.5", Sql("-9223372036854775808 - 1"): "-9.22337203685478e+18"},
        "json": texts("{a:1}", "", "NaN", "[1,2", "{'a':1}", "text", '{"a":1}}', "[1],[2", "Infinity"),
        "uuid": texts("abc", "", "12345678-1234-1234-1234-12345678901Z", "1234", "zz345678123412341234123456789012"),
    },
    "postgresql": {
        "decimal": texts("NaN"),
        "float": texts("NaN", "Infinity", "-Infinity"),
        "day": texts("infinity", "-infinity", "0044-03-15 BC", "12025-01-01"),
        "instant": texts("infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12025-01-01 00:00:00+00"),
        "clock": texts("24:00:00"),
    },
    "mysql": {
        "boolean": {Sql(number): number for number in ("2", "-1", "10")},
        "day": texts("0000-00-00", "2025-00-00", "2025-02-00", "0000-10-30"),
        "instant": {text: f"{text}.000000" for text in ("0000-00-00 00:00:00", "2025-02-00 10:00:00")},
        "clock": texts("-838:59:59.999999")
        | {text: f"{text}.000000" for text in ("838:59:59", "-01:30:00", "24:00:00")},
        "json": texts("[1,2"),
    },
}
"""By vendor and column of Probe: what is stored, and the text that it is stored as."""


@dataclass(frozen=True, slots=True)
class Valid:
    """A value that is valid, and what files hold of it."""

    column: str
    stored: str
    plain: str
    excel: object = None
    """What a sheet holds, where it is no text like `plain`; "day" of an instant = its whole part."""


EVERYWHERE = (
    Valid("integer", Sql("9007199254740993"), "9007199254740993"),
    Valid("integer", Sql("-9223372036854775808"), "-9223372036854775808"),
    Valid("decimal", Sql("12.5"), "12.500", 12.5),
    Valid("float", Sql("1e300"), "1" + "0" * 300, 10**300),
    Valid("day", "1899-12-31", "1899-12-31"),
    Valid("day", "2024-02-29", "2024-02-29", 45351),
    Valid("day", "9999-12-31", "9999-12-31", 2958465),
    Valid("instant", "2025-10-30 23:59:59.999500", "2025-10-30T23:59:59.9995Z", 45960),
    Valid("instant", "2025-10-30 23:59:59.999999", "2025-10-30T23:59:59.999999Z", 45960),
    Valid("instant", "2025-10-30 10:20:00", "2025-10-30T10:20:00Z", 45960),
    Valid("instant", "9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999999Z"),
    Valid("clock", "23:59:59.500000", "23:59:59.5"),
    Valid("clock", "10:20:00", "10:20:00"),
    Valid("json", r'{"a": "\u00fc \ud83d\ude00"}', '{"a": "ü 😀"}'),
)
VALID = {
    "sqlite": (
        *EVERYWHERE,
        Valid("integer", Sql("1.5"), "1.5", 1.5),
        Valid("boolean", "0", "false", False),
        Valid("instant", "2025-10-30 10:20:00.5", "2025-10-30T10:20:00.5Z", 45960),
        Valid("span", Sql("-1500000"), "-1.500000"),
        Valid("uuid", "ABCDEF12123412341234123456789012", "abcdef12-1234-1234-1234-123456789012"),
        Valid("uuid", "abcdef12-1234-1234-1234-123456789012", "abcdef12-1234-1234-1234-123456789012"),
        Valid("json", r'{"a": "\\u00fc \u0022 \u000a \ud800"}', r'{"a": "\\u00fc \u0022 \u000a \ud800"}'),
    ),
    "postgresql": (*EVERYWHERE, Valid("span", "-1.5 seconds", "-1.500000")),
    "mysql": (*EVERYWHERE, Valid("span", Sql("-1500000"), "-1.500000")),
}


def irregular_values() -> list[tuple[str, str, str]]:
    """(column, what is stored, its text) of this database."""
    by_column = IRREGULAR[connection.vendor]
    return [(column, stored, text) for column, values in by_column.items() for stored, text in values.items()]


LENIENT = {
    "sqlite": ("PRAGMA ignore_check_constraints = ON", "PRAGMA ignore_check_constraints = OFF"),
    "mysql": (
        "SET SESSION sql_mode = '', SESSION check_constraint_checks = 0",
        "SET SESSION sql_mode = DEFAULT, SESSION check_constraint_checks = 1",
    ),
}
"""What lets a database store more than it would, and what ends that."""


def plant(values: Iterable[tuple[str, str]]) -> None:
    """A row of Probe for each column and what is stored in it."""
    begin, end = LENIENT.get(connection.vendor, ("SELECT 1", "SELECT 1"))
    with connection.cursor() as cursor:
        cursor.execute(begin)
        for column, stored in values:
            probe = Probe.objects.create(text=f"beside {column}")
            update = f"UPDATE {Probe._meta.db_table} SET {connection.ops.quote_name(column)} ="
            if isinstance(stored, Sql):
                cursor.execute(f"{update} {stored} WHERE id = {probe.pk}")
            else:
                cursor.execute(f"{update} %s WHERE id = {probe.pk}", [stored])
        cursor.execute(end)
