"""Numbers among marks: which of them a spreadsheet holds. It keeps 15 digits of a number, and days since March 1900."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rowferry.exports.databases.value_sql import CellExpression, Rule, ValueSql
from rowferry.exports.encoding.blocks import AS_TEXT
from rowferry.exports.encoding.pushdown import EXACT_DIGITS, MarkedCells
from rowferry.exports.encoding.value_types import Representation, ValueType

FEW_DIGITS = "{x} BETWEEN -{largest} AND {largest}"
WITH_DIGITS = {(ValueType.INTEGER, Representation.PLAIN), (ValueType.DECIMAL, Representation.PLAIN)}
NUMBERS = WITH_DIGITS | {
    (ValueType.BOOLEAN, Representation.DIGIT),
    (ValueType.DATE, Representation.SERIAL),
    (ValueType.INSTANT, Representation.SERIAL),
}
"""What SQL can write for a sheet; of a float it cannot tell whether a sheet holds it."""


def can_be_marked(expressions: Sequence[CellExpression], pushdown: MarkedCells) -> bool:
    """Whether SQL can write every number."""
    return all(
        text or (expression.kind, expression.form) in NUMBERS
        for expression, text in zip(expressions, pushdown.texts, strict=True)
    )


def marked_rule(expression: CellExpression, sql: ValueSql, also: str = "") -> Rule:
    """The rule for the value, with AS_TEXT before what a sheet does not hold as a number. `also` = one more condition
    for numbers with digits."""
    rule = sql.rule(expression)
    fits = few_digits(expression) + also if has_digits(expression) else rule.fits
    return replace(rule, fits=fits, otherwise=sql.mark(AS_TEXT, rule.otherwise or rule.written)) if fits else rule


def has_digits(expression: CellExpression) -> bool:
    """Whether some values may have too many digits."""
    return (expression.kind, expression.form) in WITH_DIGITS


def few_digits(expression: CellExpression) -> str:
    """The condition that a number surely has no more than EXACT_DIGITS; what is not valid does not meet it."""
    places = expression.places if expression.kind is ValueType.DECIMAL else 0
    largest = f"{'9' * (EXACT_DIGITS - places)}.{'9' * places}".removesuffix(".")
    return FEW_DIGITS.replace("{largest}", largest)
