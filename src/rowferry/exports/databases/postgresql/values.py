"""How PostgreSQL writes each kind of value."""

from __future__ import annotations

from rowferry.exports.databases.value_sql import Rule, ValueSql
from rowferry.exports.encoding.value_types import Representation, ValueType

MARK = b"\x02"
"""Stands for IRREGULAR, which is no text to PostgreSQL: a control character that no value of a typed column holds."""
LARGEST_FLOAT = "1.7976931348623157e308"
DATES = "{x} BETWEEN '0001-01-01' AND '9999-12-31'"
INSTANTS = "{x} >= '0001-01-01 00:00Z' AND {x} < '10000-01-01 00:00Z'"
WRITTEN_INSTANT = "replace((({x}) AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'"
RULES = {
    (ValueType.DECIMAL, Representation.PLAIN): Rule("({x})::text", "{x} - {x} = 0"),  # NaN and infinity leave NaN
    (ValueType.FLOAT, Representation.PLAIN): Rule(
        "({x})::text", f"{{x}} BETWEEN '-{LARGEST_FLOAT}' AND '{LARGEST_FLOAT}'"
    ),
    (ValueType.BOOLEAN, Representation.PLAIN): Rule("CASE WHEN {x} THEN 'true' WHEN NOT {x} THEN 'false' END"),
    (ValueType.BOOLEAN, Representation.DIGIT): Rule("({x})::int"),
    (ValueType.DATE, Representation.PLAIN): Rule("({x})::text", DATES),
    (ValueType.DATE, Representation.SERIAL): Rule(
        "(({x}) - DATE '1899-12-30')::text", DATES, fits="{x} >= '1900-03-01'", otherwise="({x})::text"
    ),
    (ValueType.INSTANT, Representation.PLAIN): Rule(WRITTEN_INSTANT, INSTANTS),
    (ValueType.INSTANT, Representation.SERIAL): Rule(
        "(date_part('epoch', date_trunc('milliseconds', ({x}) AT TIME ZONE '{zone}')) / 86400 + 25569)::text",
        INSTANTS,
        fits="{x} >= '1900-03-02 00:00Z' AND {x} < '9999-12-31 00:00Z'",
        otherwise=WRITTEN_INSTANT,
    ),
    (ValueType.TIME, Representation.PLAIN): Rule("({x})::text", "{x} < '24:00'"),
    (ValueType.DURATION, Representation.PLAIN): Rule("extract(epoch FROM {x})"),
}
GUARD = (
    "CASE WHEN ({x})::text COLLATE \"C\" < 'A' AND left(({x})::text, 1) IN ('=', '+', '-', '@', chr(9), chr(13))"
    " THEN '''' || ({x})::text ELSE ({x})::text END"
)
SHOWN = {
    "GenericIPAddressField": "host({x})",  # the text of an address ends in /32 or /128
    "ArrayField": "to_jsonb({x})",
    "HStoreField": "to_jsonb({x})",
    "RangeField": (
        "CASE WHEN isempty({x}) THEN jsonb_build_object('empty', true)"
        " WHEN {x} IS NOT NULL THEN jsonb_build_object('lower', lower({x}), 'upper', upper({x}),"
        " 'bounds', CASE WHEN lower_inc({x}) THEN '[' ELSE '(' END || CASE WHEN upper_inc({x}) THEN ']' ELSE ')' END)"
        " END"
    ),
}
VALUES = ValueSql(
    RULES,
    GUARD,
    stored="({x})::text",
    marked=f"chr({MARK[0]}) || {{text}}",
    zoned_serials=True,
    shown=SHOWN,
    escaped_json=False,
)
