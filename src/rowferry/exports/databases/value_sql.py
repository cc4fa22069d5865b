"""How a database writes each kind of value as text, in SQL.

Each database has one table of rules: when a stored value is valid for the type of its column, and how it is written
then. What is not valid is written as it is stored, behind the mark IRREGULAR, so that no format takes it for a number,
a date or JSON. What SQL cannot do on the text, Python does (`post_process`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.databases.value_text import positional, serial_to_zone, to_zone, write_value
from rowferry.exports.encoding.blocks import IRREGULAR, NULL
from rowferry.exports.encoding.value_types import FORMULA_STARTS, TEXTS, Representation, ValueType

Change = Callable[[bytes], bytes]
GUARDED = tuple(start.encode() for start in FORMULA_STARTS)
Key = tuple[ValueType, Representation]


@dataclass(frozen=True, slots=True)
class Rule:
    """`{x}` is the value, `{places}` and `{zone}` are those of the expression. NULL gives NULL in all of them."""

    written: str = "{x}"
    valid: str = ""
    """The condition under which a stored value is one of the type; "" = the database stores no other."""
    fits: str = ""
    """The condition under which a valid value is written so, where some are written `otherwise`."""
    otherwise: str = ""

    @property
    def any_value(self) -> str:
        """How any valid value is written."""
        return f"CASE WHEN {self.fits} THEN {self.written} ELSE {self.otherwise} END" if self.fits else self.written


@dataclass(frozen=True, slots=True)
class ValueSql:
    """How one database writes values."""

    rules: Mapping[Key, Rule]
    guard: str
    """Text with `'` before what a spreadsheet would take for a formula."""
    stored: str
    """Any value as the text that it is stored as."""
    marked: str = "x'{mark}' || {text}"
    """A text behind one of the marks of `encoding.blocks`."""
    positional_floats: bool = False
    """Whether floats come without an exponent, as they are written."""
    zoned_serials: bool = False
    """Whether the serial number of an instant is that of the zone's clock."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """How a value of some classes of fields is read first, by the name of the class; `{x}` is the stored value."""
    escaped_json: bool = True
    """Whether letters beyond ASCII may be stored as `\\u00fc` in a JSON column."""

    def rule(self, expression: CellExpression) -> Rule:
        """The rule for values of this expression."""
        if expression.guard:
            return Rule(self.guard)
        return self.rules.get((expression.kind, expression.form), Rule())

    def mark(self, mark: bytes, text: str) -> str:
        """The SQL of a text behind a mark."""
        return self.marked.replace("{mark}", mark.hex()).replace("{text}", text)


class RenderedText(Func):
    """The SQL text of one value by a template, in which `{x}` is the value, or what `shown` makes of it."""

    output_field = TextField()

    def __init__(
        self,
        expression: Any,
        sql_template: str = "{x}",
        *,
        holds_text: bool = True,
        shown: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(expression, **extra)
        self.sql_template = sql_template
        self.holds_text = holds_text
        self.shown = shown or {}

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[Any, ...]]:
        (value,) = self.get_source_expressions()
        template = self.sql_template.replace("{x}", self._shown(value))
        x, params = compiler.compile(value)
        return template.replace("{x}", x), tuple(params) * template.count("{x}")

    def _shown(self, value: Any) -> str:
        """How the value is read, by its field's class or one that this inherits from."""
        classes = type(value._output_field_or_none).__mro__
        return next((self.shown[cls.__name__] for cls in classes if cls.__name__ in self.shown), "{x}")

    as_sqlite = as_sql
    """Django has one of its own there, for numbers."""


@dataclass(frozen=True, slots=True)
class CellExpression:
    """One value to be read: where it is, what it is, and how it is written."""

    path: str | Combinable
    kind: ValueType
    form: Representation = Representation.PLAIN
    guard: bool = False
    zone: str = "UTC"
    places: int = 6
    """Digits after the point of a decimal, where the database does not keep them (SQLite)."""
    redact: Change | None = None
    """What Python does to the text last: for a reader who may not see the value."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "guard", self.guard and self.kind in TEXTS)

    def checked_sql(self, sql: ValueSql, rule: Rule | None = None) -> RenderedText:
        """The value, by the rule of its type unless another is given, if it is valid; otherwise its stored text behind
        IRREGULAR."""
        rule = rule or sql.rule(self)
        if not rule.valid:
            return self.render(rule.any_value, sql.shown)
        irregular = sql.mark(IRREGULAR, sql.stored)
        return self.render(f"CASE WHEN {rule.valid} THEN {rule.any_value} ELSE {irregular} END", sql.shown)

    def render(self, template: str, shown: Mapping[str, str] | None = None) -> RenderedText:
        """The value by a template, with the zone and the places of this expression."""
        source = F(self.path) if isinstance(self.path, str) else self.path
        filled = template.replace("{zone}", self.zone).replace("{places}", str(self.places))
        return RenderedText(source, filled, holds_text=self.kind in TEXTS, shown=shown)

    def post_process(self, sql: ValueSql) -> Change | None:
        """What Python still has to do on each text that SQL gives; None = nothing."""
        change = self._change(sql)
        if change is None and self.redact is None:
            return None
        return partial(process_cell, change, self.redact)

    def _change(self, sql: ValueSql) -> Change | None:
        if self.kind is ValueType.FLOAT and not sql.positional_floats:
            return positional
        if self.kind is not ValueType.INSTANT or self.zone == "UTC":
            return None
        if self.form is Representation.PLAIN:
            return partial(to_zone, zone=ZoneInfo(self.zone))
        return None if sql.zoned_serials else partial(serial_to_zone, zone=ZoneInfo(self.zone))

    def text(self, value: Any) -> bytes:
        """The same text from a Python value; None gives the mark NULL."""
        cell = NULL if value is None else write_value(value, self.kind, self.form, ZoneInfo(self.zone))
        if self.guard and cell.startswith(GUARDED):
            cell = b"'" + cell
        return process_cell(None, self.redact, cell)


def process_cell(change: Change | None, redact: Change | None, cell: bytes) -> bytes:
    """The cell with both done to it. A value that is not valid is not changed, and redacted as the text it is."""
    if cell[:1] == IRREGULAR:
        return redact(cell[1:]) if redact else cell
    changed = change(cell) if change else cell
    return redact(changed) if redact else changed
