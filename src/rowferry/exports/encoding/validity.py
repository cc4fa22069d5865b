"""What a written value of each type looks like. Databases say the same in SQL, and a test compares the two."""

from __future__ import annotations

import json
import re

from rowferry.exports.encoding.value_types import Representation, ValueType

NUMBER = rb"-?(?:0|[1-9]\d*)"
DECIMAL = NUMBER + rb"(?:\.\d+)?"
LEAP_YEAR = rb"\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00"
DATE = (
    rb"(?!0000)(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    rb"|02-(?:0[1-9]|1\d|2[0-8]))|(?:" + LEAP_YEAR + rb")-02-29)"
)
TIME = rb"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,5}[1-9])?"
INSTANT = DATE + rb"T" + TIME + rb"(?:Z|[+-]\d\d:\d\d)"
SERIAL = rb"\d+(?:\.\d+)?"
PLAIN = {
    ValueType.INTEGER: DECIMAL,  # 1.5 in a column for integers of SQLite is a number all the same
    ValueType.DECIMAL: DECIMAL,
    ValueType.FLOAT: DECIMAL,
    ValueType.BOOLEAN: rb"true|false",
    ValueType.DATE: DATE,
    ValueType.INSTANT: INSTANT,
    ValueType.TIME: TIME,
    ValueType.DURATION: NUMBER + rb"\.\d{6}",
    ValueType.UUID: rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
GRAMMAR = {(kind, Representation.PLAIN): re.compile(pattern) for kind, pattern in PLAIN.items()} | {
    (ValueType.BOOLEAN, Representation.DIGIT): re.compile(rb"[01]"),
    (ValueType.DATE, Representation.SERIAL): re.compile(rb"\d+|" + DATE),
    (ValueType.INSTANT, Representation.SERIAL): re.compile(SERIAL + rb"|" + INSTANT),
}


def is_valid(cell: bytes, kind: ValueType, form: Representation = Representation.PLAIN) -> bool:
    """Whether a cell that is not NULL holds a value of this type in this representation."""
    if kind is ValueType.JSON:
        return is_json(cell)
    pattern = GRAMMAR.get((kind, form))
    return pattern is None or pattern.fullmatch(cell) is not None


def is_json(cell: bytes) -> bool:
    """Whether it is JSON by the standard, which knows no NaN."""
    try:
        json.loads(cell, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
