"""Numbers among marks: written where a spreadsheet can hold them, and whatever else is stored there behind ODD.

One template a database, kind and form: {x} is the value, {most} the greatest number that has few enough digits,
{places} as in `rendering`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from rowferry.exports.databases.value_sql import MYSQL_SERIALS, SQLITE, SQLITE_SERIALS, CellExpression, RenderedText
from rowferry.exports.encoding.blocks import IRREGULAR, NULL
from rowferry.exports.encoding.pushdown import EXACT_DIGITS, MarkedCells
from rowferry.exports.encoding.value_types import Representation, ValueType

INTEGER, DECIMAL, BOOLEAN = (
    (ValueType.INTEGER, Representation.PLAIN),
    (ValueType.DECIMAL, Representation.PLAIN),
    (ValueType.BOOLEAN, Representation.DIGIT),
)
EXACT = "{x} BETWEEN -{most} AND {most}"
"""To SQLite, text is greater than any number."""
BIT = "{x} IN (0, 1)"
SHORT = f"<= {EXACT_DIGITS + 1}"
"""How long a decimal may be for certain, with its point: an expression may have more places than its column."""
Number = tuple[str, str, str]
"""When it is one that a spreadsheet holds, how it is written then, and how otherwise."""


def serials(numbers: Mapping[ValueType, Number]) -> dict[tuple[ValueType, Representation], Number]:
    return {(kind, Representation.SERIAL): number for kind, number in numbers.items()}


SQLITE_NUMBERS = {
    INTEGER: (EXACT, "{x}", "{x}"),
    DECIMAL: (EXACT, SQLITE[DECIMAL], "{x}"),
    BOOLEAN: (BIT, "{x}", "{x}"),
    **serials(SQLITE_SERIALS),
}
MYSQL_NUMBERS = {
    INTEGER: (EXACT, "{x}", "{x}"),
    DECIMAL: (f"{EXACT} AND CHAR_LENGTH({{x}}) {SHORT}", "{x}", "{x}"),
    BOOLEAN: (BIT, "{x}", "{x}"),
    **serials(MYSQL_SERIALS),
}
TEMPLATES: dict[str, dict[tuple[ValueType, Representation], str]] = {
    "sqlite": {
        key: f"coalesce(CASE WHEN {when} THEN {number} END, x'{IRREGULAR.hex()}' || {other}, x'{NULL.hex()}')"
        for key, (when, number, other) in SQLITE_NUMBERS.items()
    },
    "mysql": {
        key: f"COALESCE(CASE WHEN {when} THEN {number} END, CONCAT(x'{IRREGULAR.hex()}', {other}))"
        for key, (when, number, other) in MYSQL_NUMBERS.items()
    },
}


class CheckedNumber(RenderedText):
    """The SQL text of a number, by the templates above."""

    def sql_template(self, connection: BaseDatabaseWrapper, cell_expression: CellExpression) -> str:
        places = cell_expression.places if cell_expression.kind is ValueType.DECIMAL else 0
        maximum = f"{'9' * (EXACT_DIGITS - places)}.{'9' * places}".removesuffix(".")
        return TEMPLATES[connection.vendor][cell_expression.kind, cell_expression.form].replace("{most}", maximum)


def marked_cells(
    expressions: Sequence[CellExpression], pushdown: MarkedCells, vendor: str
) -> list[RenderedText] | None:
    """The expressions of the dialect's cells; None: the database cannot tell of every number what it is."""
    triples = list(
        zip((expression.expression() for expression in expressions), expressions, pushdown.texts, strict=True)
    )
    if not all(text or (expression.kind, expression.form) in TEMPLATES[vendor] for _, expression, text in triples):
        return None
    return [
        cell if text else CheckedNumber(cell.get_source_expressions()[0], expression)
        for cell, expression, text in triples
    ]
