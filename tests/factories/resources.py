"""What a declared resource gives, asked of Django directly: the rows of a test before any engine has touched them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Model, Q

from rowferry.exports.resources.resource import Resource


def values(resource: Resource) -> list[dict[str, Any]]:
    """Every column of every row, by key."""
    sources = [F(c.path) if isinstance(c.path, str) else c.path for c in resource.by_name.values()]
    rows = resource.rows_for(None).order_by("pk").values_list(*sources)
    return [dict(zip(resource.by_name, row, strict=True)) for row in rows]


def filter_rows(resource: Resource, zone: ZoneInfo | None = None, **given: Any) -> set[Model]:
    """The rows that these filters leave; ValidationError as a request would get it."""
    condition = Q()
    for rule in resource.filters:
        mine = {name: given[name] for name in rule.names if name in given}
        if mine:
            condition &= rule.bind(resource.model, rule.clean(resource.model, mine), zone or ZoneInfo("UTC"))
    return set(resource.rows_for(None).filter(condition))
