"""How MariaDB and MySQL compare what names something: by default they take É for E, and a blank at the end for none.

Other databases compare by the bytes; there nothing has to be done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython

ACCENTS, EXACT = "accents", "exact"
"""What makes texts different: accents but not upper and lower case, so that a search finds both; or every byte."""
OF_MARIADB = {ACCENTS: "utf8mb4_uca1400_nopad_as_ci", EXACT: "utf8mb4_nopad_bin"}
OF_MYSQL = {ACCENTS: "utf8mb4_0900_as_ci", EXACT: "utf8mb4_0900_bin"}
UCA_1400_SINCE = (10, 10)


def set_collation(app: str, sensitivity: str, **columns: str) -> RunPython:
    """A step of a migration: from now on so are these columns compared, `model="field"`."""
    return RunPython(
        _alter_operation(app, columns, lambda connection: (None, collation(connection, sensitivity))),
        _alter_operation(app, columns, lambda connection: (collation(connection, sensitivity), None)),
        atomic=False,  # MariaDB cannot take back what changes tables
    )


def collation(connection: BaseDatabaseWrapper, sensitivity: str) -> str | None:
    """Its name; None where the database needs none, or has none."""
    if connection.vendor != "mysql":
        return None
    if not getattr(connection, "mysql_is_mariadb", False):
        return OF_MYSQL[sensitivity]
    is_old: bool = getattr(connection, "mysql_version", ()) < UCA_1400_SINCE
    return None if is_old and sensitivity == ACCENTS else OF_MARIADB[sensitivity]


def _alter_operation(
    app: str, columns: dict[str, str], change: Callable[[BaseDatabaseWrapper], tuple[str | None, str | None]]
) -> Callable[[Any, Any], None]:
    def alter(apps: Any, schema_editor: Any) -> None:
        before, after = change(schema_editor.connection)
        if before == after:
            return
        for name, column in columns.items():
            model = apps.get_model(app, name)
            schema_editor.alter_field(
                model, _with_collation(model, column, before), _with_collation(model, column, after)
            )

    return alter


def _with_collation(model: Any, column: str, collation_name: str | None) -> Any:
    """The field as it is with this collation."""
    field = model._meta.get_field(column).clone()
    field.db_collation = collation_name
    field.set_attributes_from_name(column)
    field.model = model
    return field
