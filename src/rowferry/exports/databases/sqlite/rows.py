"""How SQLite writes a row as one text: its cells, a line of CSV, or a JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Func
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.databases.sqlite.stored_dates import BEGIN, BETWEEN, DatesInObjects
from rowferry.exports.databases.sqlite.values import INSTANT_WITH_ZEROS, VALUES
from rowferry.exports.databases.value_sql import CellExpression, RenderedText, Rule
from rowferry.exports.encoding.blocks import CELL, IRREGULAR, NULL, SPARE
from rowferry.exports.encoding.delimited import LINE_END
from rowferry.exports.encoding.pushdown import CsvRows, JsonRows, Member
from rowferry.exports.encoding.value_types import ValueType

MOST_ARGUMENTS = 100
"""Cells of one printf; SQLite allows 127 arguments unless it was built for more."""
Slot = tuple[bytes, str]
"""How printf writes a cell, and what it is given: """
OR_MARK = f"coalesce({{x}}, x'{NULL.hex()}')"
BARE: Slot = (b"%s", "{x}")
"""NULL is nothing here, where the value does not say it itself."""
MARKED: Slot = (b"%s", OR_MARK)
QUOTED: Slot = (b'"%w"', OR_MARK)
"""`%w` doubles the quotes."""

MOST_MEMBERS = 60
"""Of one object, each with its key: a matter of the same limit."""
AS_JSON = dict.fromkeys(ValueType, "CAST({written} AS TEXT)") | {
    ValueType.INTEGER: "{written}",
    **dict.fromkeys((ValueType.BOOLEAN, ValueType.DECIMAL, ValueType.FLOAT), "json({written})"),
    ValueType.JSON: "json({x})",
}
"""What json_object is given of each type, for values that are valid."""
DATES = {ValueType.DATE, ValueType.INSTANT}
NUMBERS = {ValueType.INTEGER, ValueType.DECIMAL, ValueType.FLOAT, ValueType.BOOLEAN}


class CheckedRow(Func):
    """The row, or the mark IRREGULAR alone if one of the conditions says that a value is not valid for its type."""

    output_field = BinaryField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        row, *conditions = self.get_source_expressions()
        row_sql, row_params = compiler.compile(row)
        compiled = [compiler.compile(condition) for condition in conditions]
        is_irregular = " OR ".join(sql for sql, _ in compiled)
        params = chain.from_iterable(condition_params for _, condition_params in compiled)
        return f"CASE WHEN {is_irregular} THEN x'{IRREGULAR.hex()}' ELSE {row_sql} END", (*params, *row_params)


def with_conditions(row: Func, expressions: Iterable[CellExpression]) -> Func:
    """The row with the conditions of these values, but for dates, which Python checks."""
    conditions = [expression.render(condition) for expression in expressions if (condition := is_irregular(expression))]
    return CheckedRow(row, *conditions) if conditions else row


def is_irregular(expression: CellExpression) -> str:
    """The condition that a value is not valid, as far as SQL has to check it."""
    valid = VALUES.rule(expression).valid
    if not valid or expression.kind in DATES:
        return ""
    # Only the conditions of numbers are never NULL for a value.
    return f"NOT ({valid})" if expression.kind in NUMBERS else f"({{x}} IS NOT NULL AND ({valid}) IS NOT TRUE)"


def dates_behind(expressions: Sequence[CellExpression]) -> list[RenderedText]:
    """The dates as they are stored, for `StoredDates` without a delimiter."""
    return [expression.render(f"coalesce({{x}}, x'{NULL.hex()}')") for expression in expressions if is_date(expression)]


def is_date(expression: CellExpression) -> bool:
    """Whether Python checks the value."""
    return expression.kind in DATES


def runs_of_dates(expressions: Sequence[CellExpression]) -> tuple[tuple[ValueType, ...], ...]:
    """The types of dates that follow each other."""
    groups = groupby(expressions, is_date)
    return tuple(tuple(expression.kind for expression in group) for are_dates, group in groups if are_dates)


class PrintedRow(Func):
    """`cell end cell end …`: each cell in its slot, with its end behind it, and `behind` them all the dates. No text
    for anybody who would decode it.

    printf takes NUL for the end of a text. A row with such a text has SPARE at its end, so that the reader sees it.
    """

    output_field = BinaryField()

    def __init__(
        self,
        cells: Sequence[RenderedText],
        slots: Sequence[Slot],
        ends: Sequence[bytes],
        behind: Sequence[RenderedText] = (),
        **extra: Any,
    ) -> None:
        super().__init__(*cells, *behind, **extra)
        self.slots, self.ends = [*slots, *[BARE] * len(behind)], [*ends, *[BETWEEN] * len(behind)]
        if behind:
            self.ends[len(cells) - 1] += BEGIN
            self.ends[-1] = BEGIN

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        cells = self.get_source_expressions()
        compiled = [compiler.compile(cell) for cell in cells]
        text_cells = [compiler.compile(cell.get_source_expressions()[0]) for cell in cells if cell.holds_text]
        arguments = [argument.replace("{x}", sql) for (_, argument), (sql, _) in zip(self.slots, compiled, strict=True)]
        formats = [slot + end.replace(b"%", b"%%") for (slot, _), end in zip(self.slots, self.ends, strict=True)]
        starts = range(0, len(arguments), MOST_ARGUMENTS)
        parts = [
            printf_sql(formats[start : start + MOST_ARGUMENTS], arguments[start : start + MOST_ARGUMENTS])
            for start in starts
        ]
        if text_cells:
            has_nul = " OR ".join(f"instr({sql}, char(0))" for sql, _ in text_cells)
            parts.append(f"iif({has_nul}, x'{SPARE.hex()}', '')")
        params = chain.from_iterable(cell_params for _, cell_params in (*compiled, *text_cells))
        return " || ".join(parts), tuple(params)


def printf_sql(formats: Sequence[bytes], arguments: Sequence[str]) -> str:
    return f"printf(x'{b''.join(formats).hex()}', {', '.join(arguments)})"


def cell_row(expressions: Sequence[CellExpression]) -> PrintedRow:
    """Cells joined by CELL, with marks around dates."""
    return delimited_row(expressions, [MARKED] * len(expressions), CELL, b"")


def line_row(expressions: Sequence[CellExpression], pushdown: CsvRows) -> PrintedRow:
    """A line of CSV, but for NULL in quotes, with marks around dates."""
    slots = [QUOTED if quoted else BARE for quoted in pushdown.quoted]
    return delimited_row(expressions, slots, pushdown.delimiter.encode(), LINE_END)


def delimited_row(
    expressions: Sequence[CellExpression], slots: Sequence[Slot], delimiter: bytes, row_end: bytes
) -> PrintedRow:
    """Cells with a delimiter between them, and the marks of `StoredDates` around dates."""
    marked_slots, ends = list(slots), [delimiter] * (len(slots) - 1) + [row_end]
    dates = [is_date(expression) for expression in expressions]
    for index, (before, here, after) in enumerate(zip([False, *dates], dates, [*dates[1:], False], strict=False)):
        if here:
            marked_slots[index] = (MARKED[0] if before else BEGIN + MARKED[0], MARKED[1])
            ends[index] = BETWEEN if after else BEGIN + ends[index]
    return PrintedRow(render_each(expressions, map(template_of, expressions)), marked_slots, ends)


def template_of(expression: CellExpression) -> str:
    """How a value is written where Python checks dates: a fraction of a second keeps its zeros, since without them a
    value that is not valid might look so."""
    return INSTANT_WITH_ZEROS if expression.kind is ValueType.INSTANT else VALUES.rule(expression).written


def number_row(expressions: Sequence[CellExpression], rule_of: Callable[[CellExpression], Rule]) -> PrintedRow:
    """Cells joined by CELL, for a spreadsheet: their dates are numbers, so that they are once more behind the row."""
    cells = render_each(expressions, (rule_of(expression).any_value for expression in expressions))
    ends = [*[CELL] * (len(cells) - 1), b""]
    return PrintedRow(cells, [MARKED] * len(cells), ends, dates_behind(expressions))


def render_each(expressions: Sequence[CellExpression], templates: Iterable[str]) -> list[RenderedText]:
    """Each expression by its template."""
    return [expression.render(template) for expression, template in zip(expressions, templates, strict=True)]


def object_row(expressions: Sequence[CellExpression], pushdown: JsonRows) -> ObjectRow:
    """A row as a JSON object."""
    templates = (AS_JSON[expression.kind].replace("{written}", template_of(expression)) for expression in expressions)
    return ObjectRow(*render_each(expressions, templates), members=pushdown.members)


class ObjectRow(Func):
    """A row as a JSON object. json_object knows every escape, NUL too."""

    output_field = BinaryField()

    def __init__(self, *cells: RenderedText, members: Sequence[Member], **extra: Any) -> None:
        super().__init__(*cells, **extra)
        self.members = members

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        cells: list[RenderedText] = self.get_source_expressions()
        params = list[Any]()

        def value(member: Member) -> str:
            if member.members:
                empty = " AND ".join(f"{value(inner)} IS NULL" for inner in member.members)
                return f"CASE WHEN {empty} THEN NULL ELSE {object_of(member.members)} END"
            cell = cells[member.index]
            sql, cell_params = compiler.compile(cell)
            params.extend(cell_params)
            return sql

        def object_of(members: Sequence[Member]) -> str:
            return f"json_object({', '.join(f'{literal(member.key)}, {value(member)}' for member in members)})"

        return object_of(self.members), tuple(params)


def dates_in_objects(expressions: Sequence[CellExpression], pushdown: JsonRows) -> DatesInObjects:
    """Where dates stand in such objects."""
    leaves = [leaf for member in pushdown.members for leaf in member.members or (member,)]
    return DatesInObjects(
        tuple(
            (f'{json.dumps(leaf.key)}:"'.encode(), expressions[leaf.index].kind)
            for leaf in leaves
            if is_date(expressions[leaf.index])
        )
    )


def literal(key: str) -> str:
    return "'" + key.replace("'", "''").replace("%", "%%") + "'"


class SingleCell(Func):
    """One cell as a blob."""

    output_field = BinaryField()
    template = "CAST(%(expressions)s AS BLOB)"


def can_be_objects(pushdown: JsonRows) -> bool:
    """Whether json_object takes so many members, with these keys."""
    all_members = [inner for member in pushdown.members for inner in (member, *member.members)]
    return len(all_members) <= MOST_MEMBERS and all(inner.key.isascii() for inner in all_members)
