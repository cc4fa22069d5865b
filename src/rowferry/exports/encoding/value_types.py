"""What a value is (`ValueType`), its written form (`Representation`), its meaning to a reader (`Severity`)."""

from __future__ import annotations

from enum import StrEnum


class ValueType(StrEnum):
    """The type of a column, as catalogue, manifest and sinks speak of it."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    """Text that looks like a number now and then (serial, tag, code): never to be read as one."""
    UUID = "uuid"
    TIME = "time"
    DURATION = "duration"
    JSON = "json"


class Severity(StrEnum):
    """What a value means to whoever reads it, for formats that have colours."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    BAD = "bad"
    QUIET = "quiet"
    """Done with: to be passed over."""


NUMBERS = frozenset({ValueType.INTEGER, ValueType.DECIMAL, ValueType.FLOAT})
TEXTS = frozenset({ValueType.TEXT, ValueType.IDENTIFIER})
"""Kinds that hold what people typed: the ones that a formula guard looks at."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take text for a formula."""
STRICT = "strict"
"""The formula guard that also looks behind separators and line breaks within a text."""


class Representation(StrEnum):
    """How a value is written. PLAIN: digits; `true`/`false`; `2025-10-30`; `2025-10-30T14:15:00Z`; text as it is."""

    PLAIN = "plain"
    SERIAL = "serial"
    """Dates and instants as days since 1899-12-30, the number that spreadsheets count in (instants: local clock of
    the zone)."""
    DIGIT = "digit"
    """Booleans as 1 and 0."""
