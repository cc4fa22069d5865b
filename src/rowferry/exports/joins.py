"""Whether a query gives a row more than once, because it joins tables that hold many rows for one of its own."""

from __future__ import annotations

from typing import Any

from django.db.models.sql import Query
from django.db.models.sql.datastructures import Join


def has_many(query: Query) -> bool:
    """Whether a table that the query uses may hold many rows for one row of its model."""
    return any(not _is_to_one(table) for alias, table in query.alias_map.items() if query.alias_refcount.get(alias))


def _is_to_one(table: object) -> bool:
    """Whether it has one row at most for a row of the table that it is joined to."""
    field: Any = table.join_field if isinstance(table, Join) else None
    return field is None or bool(field.many_to_one or field.one_to_one)
