"""What tests of several domains ask of the database itself."""

from __future__ import annotations

from django.db import connection, models


def leading_columns(model: type[models.Model]) -> set[str]:
    """The database columns that are the first of some index, the key's and the unique ones included."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
    indexed = (found["columns"] for found in constraints if found["index"] or found["unique"] or found["primary_key"])
    return {columns[0] for columns in indexed if columns}


def tables(app_label: str) -> set[str]:
    """The tables of an app that are there now."""
    return {name for name in connection.introspection.table_names() if name.startswith(f"{app_label}_")}
