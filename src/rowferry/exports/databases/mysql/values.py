"""How MariaDB and MySQL write each kind of value."""

from __future__ import annotations

from dataclasses import replace

from rowferry.exports.databases.value_sql import Rule, ValueSql
from rowferry.exports.encoding.value_types import TEXTS, Representation, ValueType

TEXT = "CONVERT({x} USING utf8mb4)"
DATES = "TO_DAYS({x}) > 365"
"""NULL for a day or a month 0, which the server stores where its `sql_mode` allows it; no year is 0."""
WRITTEN_INSTANT = (
    "CASE MICROSECOND({x}) WHEN 0 THEN CONCAT(INSERT(LEFT({x}, 19), 11, 1, 'T'), 'Z')"
    " ELSE CONCAT(INSERT(TRIM(TRAILING '0' FROM {x}), 11, 1, 'T'), 'Z') END"
)
RULES = {
    **{(kind, Representation.PLAIN): Rule(TEXT) for kind in TEXTS},
    (ValueType.BOOLEAN, Representation.PLAIN): Rule(
        "CASE {x} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", "{x} IN (0, 1)"
    ),
    (ValueType.BOOLEAN, Representation.DIGIT): Rule("{x}", "{x} IN (0, 1)"),
    (ValueType.DATE, Representation.PLAIN): Rule("{x}", DATES),
    (ValueType.DATE, Representation.SERIAL): Rule(
        "TO_DAYS({x}) - 693959", DATES, fits="{x} >= '1900-03-01'", otherwise="{x}"
    ),
    (ValueType.INSTANT, Representation.PLAIN): Rule(WRITTEN_INSTANT, DATES),
    # An instant whose day has five digits is an integer of eleven more into which the point is put: to print a floating
    # point number takes MariaDB longer than all the rest of a row.
    (ValueType.INSTANT, Representation.SERIAL): Rule(
        "CASE WHEN {x} BETWEEN '1927-05-19' AND '2173-10-13' THEN"
        " INSERT((TIMESTAMPDIFF(MICROSECOND, '1899-12-30', {x}) DIV 1000 * 125000 + 54) DIV 108, 6, 0, '.')"
        " ELSE TO_DAYS({x}) - 693959 + FLOOR(TIME_TO_SEC(TIME({x})) * 1000) / 86400e3 END",
        DATES,
        fits="{x} >= '1900-03-02' AND {x} < '9999-12-31'",
        otherwise=WRITTEN_INSTANT,
    ),
    (ValueType.TIME, Representation.PLAIN): Rule(
        "CASE MICROSECOND({x}) WHEN 0 THEN LEFT({x}, 8) ELSE TRIM(TRAILING '0' FROM {x}) END",
        "{x} BETWEEN '00:00:00' AND '23:59:59.999999'",
    ),
    (ValueType.UUID, Representation.PLAIN): Rule(
        "LOWER(CASE CHAR_LENGTH({x}) WHEN 32 THEN INSERT(INSERT(INSERT(INSERT({x}, 21, 0, '-'), 17, 0, '-'), 13, 0,"
        " '-'), 9, 0, '-') ELSE CAST({x} AS CHAR) END)",
        "CAST({x} AS CHAR) REGEXP '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'",
    ),
    (ValueType.DURATION, Representation.PLAIN): Rule(
        "CONCAT(IF({x} < 0, '-', ''), ABS({x}) DIV 1000000, '.', LPAD(ABS({x}) %% 1000000, 6, '0'))"
    ),
    (ValueType.JSON, Representation.PLAIN): Rule("{x}", "JSON_VALID({x})"),
}
GUARD_UTF8 = "IF(ASCII({x}) > 64, {x}, IF(ASCII({x}) IN (9, 13, 43, 45, 61, 64), CONCAT('''', {x}), {x}))"
VALUES = ValueSql(
    RULES,
    GUARD_UTF8.replace("{x}", TEXT),
    stored="CAST({x} AS CHAR)",
    marked="CONCAT(x'{mark}', CAST({text} AS BINARY))",
)
VALUES_UTF8 = replace(
    VALUES, rules={key: rule for key, rule in RULES.items() if rule.written != TEXT}, guard=GUARD_UTF8
)
"""For a database that has no text in other character sets: to convert all the same costs 14% of a read."""
