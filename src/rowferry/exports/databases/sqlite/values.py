"""How SQLite writes each kind of value. It stores anything in any column, so each type has a condition."""

from __future__ import annotations

import sqlite3

from rowferry.exports.databases.value_sql import Rule, ValueSql
from rowferry.exports.databases.value_text import exact_float, unescape_json
from rowferry.exports.encoding.value_types import Representation, ValueType

LARGEST_FLOAT = "1.7976931348623157e308"
FINITE = f"{{x}} BETWEEN -{LARGEST_FLOAT} AND {LARGEST_FLOAT}"
"""To SQLite, text is greater than any number."""
FRACTION = "substr({x}, {end} + 1, 1) = '.' AND length({x}) BETWEEN {end} + 2 AND {end} + 7"
FRACTION += " AND substr({x}, {end} + 2) NOT GLOB '*[^0-9]*'"
# Only with a modifier does SQLite compute the day: without one, 30 February is as good as any.
DATES = "date({x}, '+0 days') = {x} AND {x} >= '0001-01-01'"
INSTANTS = (
    "datetime(substr({x}, 1, 19), '+0 days') = replace(substr({x}, 1, 19), 'T', ' ') AND {x} >= '0001-01-01'"
    f" AND (length({{x}}) = 19 OR {FRACTION.replace('{end}', '19')})"
)
TIMES = (
    "time(substr({x}, 1, 8), '+0 days') = substr({x}, 1, 8)"
    f" AND (length({{x}}) = 8 OR {FRACTION.replace('{end}', '8')})"
)
HEX = "[0-9a-fA-F]"
UUIDS = (
    "length({x}) = 32 AND {x} NOT GLOB '*[^0-9a-fA-F]*'"
    f" OR {{x}} GLOB '{'-'.join(HEX * digits for digits in (8, 4, 4, 4, 12))}'"
)
INSTANT_WITH_ZEROS = "replace({x}, ' ', 'T') || 'Z'"
WRITTEN_INSTANT = "replace(CASE length({x}) WHEN 19 THEN {x} ELSE rtrim(rtrim({x}, '0'), '.') END, ' ', 'T') || 'Z'"
RULES = {
    (ValueType.INTEGER, Representation.PLAIN): Rule("{x}", "{x} BETWEEN -9223372036854775808 AND 9223372036854775807"),
    (ValueType.DECIMAL, Representation.PLAIN): Rule(
        "CASE WHEN {x} IS NOT NULL THEN printf('%%.{places}f', {x}) END", FINITE
    ),
    (ValueType.FLOAT, Representation.PLAIN): Rule("rowferry_float({x})", FINITE),
    (ValueType.BOOLEAN, Representation.PLAIN): Rule(
        "CASE {x} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", "{x} IN (0, 1)"
    ),
    (ValueType.BOOLEAN, Representation.DIGIT): Rule("CASE {x} WHEN 1 THEN 1 WHEN 0 THEN 0 END", "{x} IN (0, 1)"),
    (ValueType.DATE, Representation.PLAIN): Rule("{x}", DATES),
    (ValueType.DATE, Representation.SERIAL): Rule(
        "CAST(julianday({x}) - 2415018.5 AS INTEGER)", DATES, fits="{x} >= '1900-03-01'", otherwise="{x}"
    ),
    (ValueType.INSTANT, Representation.PLAIN): Rule(WRITTEN_INSTANT, INSTANTS),
    (ValueType.INSTANT, Representation.SERIAL): Rule(
        "julianday(substr({x}, 1, 23)) - 2415018.5",
        INSTANTS,
        fits="{x} >= '1900-03-02' AND {x} < '9999-12-31'",
        otherwise=WRITTEN_INSTANT,
    ),
    (ValueType.TIME, Representation.PLAIN): Rule(
        "CASE length({x}) WHEN 8 THEN {x} ELSE rtrim(rtrim({x}, '0'), '.') END", TIMES
    ),
    (ValueType.UUID, Representation.PLAIN): Rule(
        "lower(CASE length({x}) WHEN 32 THEN substr({x}, 1, 8) || '-' || substr({x}, 9, 4) || '-' ||"
        " substr({x}, 13, 4) || '-' || substr({x}, 17, 4) || '-' || substr({x}, 21) ELSE {x} END)",
        UUIDS,
    ),
    (ValueType.DURATION, Representation.PLAIN): Rule(
        "CASE WHEN {x} < 0 THEN '-' ELSE '' END || abs({x} / 1000000) || printf('.%%06d', abs({x} %% 1000000))",
        "typeof({x}) = 'integer'",
    ),
    (ValueType.JSON, Representation.PLAIN): Rule(
        "CASE WHEN instr({x}, '\\u') THEN CAST(rowferry_json(CAST({x} AS BLOB)) AS TEXT) ELSE {x} END",
        "json_valid({x})",
    ),
}
GUARD = (
    "CASE WHEN {x} COLLATE BINARY < 'A' AND substr({x}, 1, 1) IN ('=', '+', '-', '@', char(9), char(13))"
    " THEN '''' || {x} ELSE {x} END"
)
VALUES = ValueSql(RULES, GUARD, stored="CAST({x} AS TEXT)", positional_floats=True, escaped_json=False)


def add_functions(connection: sqlite3.Connection) -> None:
    """What the rules call of Python."""
    connection.create_function("rowferry_float", 1, exact_float, deterministic=True)
    connection.create_function("rowferry_json", 1, unescape_json, deterministic=True)
