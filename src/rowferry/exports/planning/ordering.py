"""The order of rows, in a list and in a file alike."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.expressions import Combinable, OrderBy

from rowferry.exports.resources.paths import can_be_null, field_at


def order_by(model: type[models.Model], path: str | Combinable | None, *, descending: bool) -> list[OrderBy]:
    """By the value at a path, or by the key alone; the terms of a query's `order_by`.

    Equal rows come by key, in the direction of the sort, so that an index of the value gives both. Rows without a value
    come last either way.
    """
    key = _term(F("pk"), descending)
    if path is None or (isinstance(path, str) and field_at(model, path) is model._meta.pk):
        return [key]
    if isinstance(path, str):
        return [_term(F(path), descending, nulls_last=can_be_null(model, path)), key]
    return [_term(path, descending, nulls_last=True), key]


def _term(value: Any, descending: bool, *, nulls_last: bool = False) -> OrderBy:
    nulls = {"nulls_last": True} if nulls_last else {}
    return value.desc(**nulls) if descending else value.asc(**nulls)  # type: ignore[no-any-return]
