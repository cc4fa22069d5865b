"""Front door: rows to look at, a page at a time, with the filters, rights and columns of an export.

A page begins behind the row that the one before ended with, by an index that the sort leads: the last page of a million
rows costs what the first one costs. So only columns that lead an index can be sorted by here. The order is that of a
file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet

from rowferry.exports.databases import Reader, Size, context_of, open_reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, CellBlock, split
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.planning.column_privacy import visible_paths
from rowferry.exports.planning.computed_columns import readable
from rowferry.exports.planning.ordering import order_by
from rowferry.exports.planning.plan import Plan, build_plan, require, withheld
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.filters import INT64
from rowferry.exports.resources.paths import kind_of
from rowferry.exports.resources.resource import Person, Resource

PAGE_SIZE = 50
COUNT_LIMIT = 10_000
"""Rows that are counted; beyond there are "more than"."""
FORMAT_FIELDS = {"format": "csv", "csv": {"formula_guard": False}}
INVALID_CURSOR = "This is no page of the list: begin at its first one."

Cursor = Mapping[str, Any]
"""Where a page begins, as plain JSON: `key` and `value` of the row it lies behind (before it, if `back`), or `last`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as text. `key` is None for who may not see keys; `fault` = why it could not be computed."""

    key: str | None
    cells: list[str | None]
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page. `before` and `after` are the places of its neighbours, None = there is none; a size that is not exact
    means "more than"."""

    columns: tuple[Column, ...]
    sortable: frozenset[str]
    sort_by: str
    sort_order: str
    rows: list[Row]
    size: Size
    before: Cursor | None
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """The way through the rows by one index. `field` None = by key."""

    rows: QuerySet[Any]
    field: models.Field[Any, Any] | None
    descending: bool

    def fetch(self, cursor: Cursor | None, limit: int) -> list[tuple[Any, Any]]:
        """(key, value) of the next rows from a place, in the order of the way they are met."""
        pairs: list[tuple[Any, Any]] = []
        for queryset in self._ranges(cursor or {}):
            if len(pairs) < limit:
                pairs += queryset[: limit - len(pairs)]
        return pairs

    def sort_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """These rows in the order of the list, for few of them."""
        path = self.field.attname if self.field else None
        return rows.order_by(*order_by(rows.model, path, descending=self.descending))

    def _ranges(self, cursor: Cursor) -> Iterator[QuerySet[Any]]:
        """Rows with a value, then those without; the other way round going back. Each is one range of an index."""
        backwards = bool(cursor.get("back") or cursor.get("last"))
        prefix, lookup = ("-", "lt") if self.descending != backwards else ("", "gt")
        if self.field is None:
            yield self._by_key(self.rows, cursor, prefix, lookup)
            return
        has_key = "key" in cursor
        if backwards and self.field.null and not (has_key and cursor["value"] is not None):
            yield self._rows_without_value(cursor, prefix, lookup)
        if not has_key or cursor["value"] is not None or backwards:
            yield self._rows_with_value(cursor, prefix, lookup)
        if not backwards and self.field.null:
            yield self._rows_without_value(cursor, prefix, lookup)

    def _by_key(self, rows: QuerySet[Any], cursor: Cursor, prefix: str, lookup: str) -> QuerySet[Any]:
        queryset = rows.filter(**{f"pk__{lookup}": cursor["key"]}) if "key" in cursor else rows
        return queryset.order_by(f"{prefix}pk").values_list("pk", self.field.attname if self.field else "pk")

    def _rows_without_value(self, cursor: Cursor, prefix: str, lookup: str) -> QuerySet[Any]:
        assert self.field is not None
        key_cursor = cursor if cursor.get("value") is None else {}
        return self._by_key(self.rows.filter(**{f"{self.field.attname}__isnull": True}), key_cursor, prefix, lookup)

    def _rows_with_value(self, cursor: Cursor, prefix: str, lookup: str) -> QuerySet[Any]:
        assert self.field is not None
        name = self.field.attname
        rows = self.rows.filter(**{f"{name}__isnull": False}) if self.field.null else self.rows
        if cursor.get("value") is not None:
            # The first condition is the range of the index; an OR alone would be none.
            rows = rows.filter(Q(**{f"{name}__{lookup}e": cursor["value"]}))
            rows = rows.filter(Q(**{f"{name}__{lookup}": cursor["value"]}) | Q(**{f"pk__{lookup}": cursor["key"]}))
        return rows.order_by(f"{prefix}{name}", f"{prefix}pk").values_list("pk", name)


def page(
    name: str, selection: Mapping[str, Any], person: Person, cursor: Cursor | None = None, size: int = PAGE_SIZE
) -> Listing:
    """The rows from a cursor on. `selection` = columns, filters, sort_by, sort_order, time_zone, as in a request.

    Raises NotFound (resource), NotPermitted, InvalidRequest (also for a sort that no index leads).
    """
    resource = registry.resource(name)
    require(person, resource)
    spec = ExportSpec.parse(name, {**selection, **FORMAT_FIELDS})
    sortable_fields = sortable(resource, person)
    if selection.get("sort_by") and spec.sort_by not in sortable_fields:
        raise InvalidRequest.field("sort_by", f"Must be one of: {', '.join(sorted(sortable_fields))}.")
    sort_by = spec.sort_by if spec.sort_by in sortable_fields else ""
    plan = build_plan(spec, person)
    keyset = KeysetPage(plan.queryset.order_by(), sortable_fields.get(sort_by), spec.sort_order == "desc")
    start_cursor = _parse_cursor(cursor, resource, keyset.field) if cursor else None
    pairs, before, after = _find_keys(keyset, start_cursor, size)
    with open_reader(plan.queryset.db, context_of(person)) as reader:
        rows = _rows(plan, keyset, [key for key, _ in pairs], reader)
        row_count = reader.count(keyset.rows[: COUNT_LIMIT + 1])
    return Listing(
        columns=plan.columns,
        sortable=frozenset(sortable_fields),
        sort_by=sort_by,
        sort_order=spec.sort_order,
        rows=rows
        if visible_paths(resource, withheld(person, resource))("pk")
        else [Row(None, r.cells, r.fault) for r in rows],
        size=Size(min(row_count, COUNT_LIMIT), row_count <= COUNT_LIMIT),
        before=before,
        after=after,
    )


def default_sort(name: str, person: Person) -> str:
    """The column that a list is sorted by unless it is said: the resource's own, if that can be; "" = the key."""
    resource = registry.resource(name)
    return resource.sort_by if resource.sort_by in sortable(resource, person) else ""


def sortable(resource: Resource, person: Person) -> dict[str, models.Field[Any, Any] | None]:
    """The columns that this person may sort a list by, with the fields behind them; None = the key itself."""
    hidden = withheld(person, resource)
    columns = {
        c.name: _field(resource.model, c) for c in resource.by_name.values() if c.sortable and c.name not in hidden
    }
    return {name: None if f.primary_key else f for name, f in columns.items() if f is not None and _leads_an_index(f)}


def _field(model: type[models.Model], column: Column) -> models.Field[Any, Any] | None:
    """The model's own field that a column is, if it is one."""
    fields_by_name = {
        field_name: field for field in model._meta.concrete_fields for field_name in (field.name, field.attname)
    }
    return fields_by_name.get(column.path) if isinstance(column.path, str) and column.compute is None else None


def _leads_an_index(field: models.Field[Any, Any]) -> bool:
    """Whether an index of the whole table begins with this field."""
    if field.primary_key or field.unique or getattr(field, "db_index", False):
        return True
    options = field.model._meta
    indexes = [index.fields for index in options.indexes if index.condition is None]
    indexes += [
        index.fields
        for index in options.constraints
        if isinstance(index, models.UniqueConstraint) and not index.condition
    ]
    return any(fields and fields[0].lstrip("-") == field.name for fields in indexes)


def _find_keys(
    keyset: KeysetPage, cursor: Cursor | None, size: int
) -> tuple[list[tuple[Any, Any]], Cursor | None, Cursor | None]:
    """The keys of a page in the order of the list, and the places before and after it."""
    pairs = keyset.fetch(cursor, size + 1)
    has_more, pairs = len(pairs) > size, pairs[:size]
    is_last, backwards = (
        bool(cursor and cursor.get("last")),
        bool(cursor and (cursor.get("back") or cursor.get("last"))),
    )
    if backwards:
        pairs.reverse()
    if not pairs:
        return pairs, None, None
    has_earlier, has_later = (has_more, not is_last) if backwards else (cursor is not None, has_more)
    before = _make_cursor(*pairs[0], backwards=True) if has_earlier else None
    return pairs, before, _make_cursor(*pairs[-1], backwards=False) if has_later else None


def _make_cursor(key: Any, value: Any, *, backwards: bool) -> Cursor:
    return {"key": _as_json(key), "value": _as_json(value), "back": backwards}


def _as_json(value: Any) -> Any:
    """A value of a field as JSON that the field's `to_python` reads back, to the microsecond."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _parse_cursor(cursor: Cursor, resource: Resource, field: models.Field[Any, Any] | None) -> Cursor:
    """The place with values of the fields' own types. InvalidRequest: it is none of this list."""
    if cursor.get("last"):
        return {"last": True}
    try:
        key = resource.model._meta.pk.to_python(cursor["key"])
        value = field.to_python(cursor["value"]) if field is not None else None
    except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
        raise InvalidRequest(INVALID_CURSOR) from None
    if key is None or any(isinstance(part, int) and abs(part) >= INT64 for part in (key, value)):
        raise InvalidRequest(INVALID_CURSOR)
    return {"key": key, "value": value, "back": bool(cursor.get("back"))}


def _rows(plan: Plan, keyset: KeysetPage, keys: Sequence[Any], reader: Reader) -> list[Row]:
    """The rows of these keys as text, the key as one cell more."""
    if not keys:
        return []
    pk = CellExpression("pk", kind_of(plan.resource.model._meta.pk))
    expressions = (*plan.expressions, *(() if plan.transform.needed else (pk,)))
    queryset = keyset.sort_rows(keyset.rows.filter(pk__in=keys))
    page_rows: list[Row] = []
    for block in reader.blocks(queryset, expressions):
        cells = split(block.data, block.rows, len(expressions))
        page_rows += [
            _row(plan, cells[start : start + len(expressions)]) for start in range(0, len(cells), len(expressions))
        ]
    return page_rows


def _row(plan: Plan, cells: list[bytes]) -> Row:
    key = readable(cells[-1])
    if not plan.transform.needed:
        return Row(key, [readable(cell) for cell in cells[:-1]])
    computed, failures = plan.transform.apply(CellBlock(CELL.join(cells), 1))
    if failures:
        return Row(key, [], failures[0].reason)
    return Row(key, [readable(cell) for cell in split(computed.data, 1, len(plan.columns))])
