"""Front door: rows to look at, a page at a time, with the filters, rights and columns of an export.

A page begins behind the row that the one before ended with, by an index that the sort leads: the last page of a million
rows costs what the first one costs. So only columns that lead an index can be sorted by here. Rows without a value come
last either way; equal ones by key, in the direction of the sort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet

from rowferry.exports.databases import Reader, Size, open_reader
from rowferry.exports.databases.value_sql import CellExpression
from rowferry.exports.encoding.blocks import CELL, CellBlock, split
from rowferry.exports.errors import InvalidRequest
from rowferry.exports.planning.column_privacy import visible_paths
from rowferry.exports.planning.computed_columns import readable
from rowferry.exports.planning.plan import Plan, build_plan, require, withheld
from rowferry.exports.planning.spec import ExportSpec
from rowferry.exports.resources import registry
from rowferry.exports.resources.columns import Column, kind_of
from rowferry.exports.resources.filters import INT64
from rowferry.exports.resources.resource import Actor, Resource

SHOWN = 50
COUNTED = 10_000
"""Rows that are counted; beyond there are "more than"."""
PLAIN = {"format": "csv", "csv": {"formula_guard": False}}
LOST = "This is no page of the list: begin at its first one."

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

    def fetch(self, place: Cursor | None, most: int) -> list[tuple[Any, Any]]:
        """(key, value) of the next rows from a place, in the order of the way they are met."""
        met: list[tuple[Any, Any]] = []
        for stretch in self._stretches(place or {}):
            if len(met) < most:
                met += stretch[: most - len(met)]
        return met

    def sort_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """These rows in the order of the list, for few of them."""
        key = F("pk").desc() if self.descending else F("pk").asc()
        if self.field is None:
            return rows.order_by(key)
        value = F(self.field.attname)
        by_value = value.desc(nulls_last=True) if self.descending else value.asc(nulls_last=True)
        return rows.order_by(
            by_value if self.field.null else ("-" if self.descending else "") + self.field.attname, key
        )

    def _stretches(self, place: Cursor) -> Iterator[QuerySet[Any]]:
        """Rows with a value, then those without; the other way round going back. Each is one range of an index."""
        back = bool(place.get("back") or place.get("last"))
        sign, beyond = ("-", "lt") if self.descending != back else ("", "gt")
        if self.field is None:
            yield self._by_key(self.rows, place, sign, beyond)
            return
        inside = "key" in place
        if back and self.field.null and not (inside and place["value"] is not None):
            yield self._without(place, sign, beyond)
        if not inside or place["value"] is not None or back:
            yield self._with_value(place, sign, beyond)
        if not back and self.field.null:
            yield self._without(place, sign, beyond)

    def _by_key(self, rows: QuerySet[Any], place: Cursor, sign: str, beyond: str) -> QuerySet[Any]:
        narrowed = rows.filter(**{f"pk__{beyond}": place["key"]}) if "key" in place else rows
        return narrowed.order_by(f"{sign}pk").values_list("pk", self.field.attname if self.field else "pk")

    def _without(self, place: Cursor, sign: str, beyond: str) -> QuerySet[Any]:
        assert self.field is not None
        inside = place if place.get("value") is None else {}
        return self._by_key(self.rows.filter(**{f"{self.field.attname}__isnull": True}), inside, sign, beyond)

    def _with_value(self, place: Cursor, sign: str, beyond: str) -> QuerySet[Any]:
        assert self.field is not None
        name = self.field.attname
        rows = self.rows.filter(**{f"{name}__isnull": False}) if self.field.null else self.rows
        if place.get("value") is not None:
            # The first condition is the range of the index; an OR alone would be none.
            rows = rows.filter(Q(**{f"{name}__{beyond}e": place["value"]}))
            rows = rows.filter(Q(**{f"{name}__{beyond}": place["value"]}) | Q(**{f"pk__{beyond}": place["key"]}))
        return rows.order_by(f"{sign}{name}", f"{sign}pk").values_list("pk", name)


def page(name: str, wish: Mapping[str, Any], person: Actor, place: Cursor | None = None, size: int = SHOWN) -> Listing:
    """The rows from a place on. `wish` = columns, filters, sort_by, sort_order, time_zone, as in a request for a file.

    Raises NotFound (resource), NotPermitted, InvalidRequest (also for a sort that no index leads).
    """
    resource = registry.resource(name)
    require(person, resource)
    spec = ExportSpec.parse(name, {**wish, **PLAIN})
    able = sortable(resource, person)
    if wish.get("sort_by") and spec.sort_by not in able:
        raise InvalidRequest.field("sort_by", f"Must be one of: {', '.join(sorted(able))}.")
    sort_by = spec.sort_by if spec.sort_by in able else ""
    plan = build_plan(spec, person)
    walk = KeysetPage(plan.queryset.order_by(), able.get(sort_by), spec.sort_order == "desc")
    start = _read(place, resource, walk.field) if place else None
    met, before, after = _find_keys(walk, start, size)
    with open_reader(plan.queryset.db) as reader:
        rows = _rows(plan, walk, [key for key, _ in met], reader)
        counted = reader.count(walk.rows[: COUNTED + 1])
    return Listing(
        columns=plan.columns,
        sortable=frozenset(able),
        sort_by=sort_by,
        sort_order=spec.sort_order,
        rows=rows
        if visible_paths(resource, withheld(person, resource))("pk")
        else [Row(None, r.cells, r.fault) for r in rows],
        size=Size(min(counted, COUNTED), counted <= COUNTED),
        before=before,
        after=after,
    )


def sortable(resource: Resource, person: Actor) -> dict[str, models.Field[Any, Any] | None]:
    """The columns that this person may sort a list by, with the fields behind them; None = the key itself."""
    hidden = withheld(person, resource)
    columns = {
        c.name: _field(resource.model, c) for c in resource.by_name.values() if c.sortable and c.name not in hidden
    }
    return {name: None if f.primary_key else f for name, f in columns.items() if f is not None and _leads(f)}


def _field(model: type[models.Model], column: Column) -> models.Field[Any, Any] | None:
    """The model's own field that a column is, if it is one."""
    own = {known: field for field in model._meta.concrete_fields for known in (field.name, field.attname)}
    return own.get(column.path) if isinstance(column.path, str) and column.compute is None else None


def _leads(field: models.Field[Any, Any]) -> bool:
    """Whether an index of the whole table begins with this field."""
    if field.primary_key or field.unique or getattr(field, "db_index", False):
        return True
    options = field.model._meta
    indexes = [one.fields for one in options.indexes if one.condition is None]
    indexes += [
        one.fields for one in options.constraints if isinstance(one, models.UniqueConstraint) and not one.condition
    ]
    return any(fields and fields[0].lstrip("-") == field.name for fields in indexes)


def _find_keys(
    walk: KeysetPage, place: Cursor | None, size: int
) -> tuple[list[tuple[Any, Any]], Cursor | None, Cursor | None]:
    """The keys of a page in the order of the list, and the places before and after it."""
    met = walk.fetch(place, size + 1)
    more, met = len(met) > size, met[:size]
    last, back = bool(place and place.get("last")), bool(place and (place.get("back") or place.get("last")))
    if back:
        met.reverse()
    if not met:
        return met, None, None
    earlier, later = (more, not last) if back else (place is not None, more)
    before = _place(*met[0], back=True) if earlier else None
    return met, before, _place(*met[-1], back=False) if later else None


def _place(key: Any, value: Any, *, back: bool) -> Cursor:
    return {"key": _plain(key), "value": _plain(value), "back": back}


def _plain(value: Any) -> Any:
    """A value of a field as JSON that the field's `to_python` reads back, to the microsecond."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read(place: Cursor, resource: Resource, field: models.Field[Any, Any] | None) -> Cursor:
    """The place with values of the fields' own types. InvalidRequest: it is none of this list."""
    if place.get("last"):
        return {"last": True}
    try:
        key = resource.model._meta.pk.to_python(place["key"])
        value = field.to_python(place["value"]) if field is not None else None
    except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
        raise InvalidRequest(LOST) from None
    if key is None or any(isinstance(one, int) and abs(one) >= INT64 for one in (key, value)):
        raise InvalidRequest(LOST)
    return {"key": key, "value": value, "back": bool(place.get("back"))}


def _rows(plan: Plan, walk: KeysetPage, keys: Sequence[Any], reader: Reader) -> list[Row]:
    """The rows of these keys as text, the key as one cell more."""
    if not keys:
        return []
    pk = CellExpression("pk", kind_of(plan.resource.model._meta.pk))
    reads = (*plan.renderings, *(() if plan.transform.needed else (pk,)))
    rows = walk.sort_rows(walk.rows.filter(pk__in=keys))
    found: list[Row] = []
    for block in reader.blocks(rows, reads):
        cells = split(block.data, block.rows, len(reads))
        found += [_row(plan, cells[start : start + len(reads)]) for start in range(0, len(cells), len(reads))]
    return found


def _row(plan: Plan, cells: list[bytes]) -> Row:
    key = readable(cells[-1])
    if not plan.transform.needed:
        return Row(key, [readable(cell) for cell in cells[:-1]])
    made, failures = plan.transform.apply(CellBlock(CELL.join(cells), 1))
    if failures:
        return Row(key, [], failures[0].reason)
    return Row(key, [readable(cell) for cell in split(made.data, 1, len(plan.columns))])
