"""Filters by true and false that leave no row out: the lookup `is_true`.

SQLite and MariaDB store booleans as numbers, and so others than 0 and 1. A row with such a value is not false, so it is
found by true: each row with a value is found by exactly one of the two.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Lookup
from django.db.models.sql.compiler import SQLCompiler


class IsTrue(Lookup):
    """Whether a boolean column holds what is given: True or False."""

    lookup_name = "is_true"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (%s)", (*params, bool(self.rhs))  # the bare column would pass by its index

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """By its number; to SQLite, text is greater than any."""
        column, params = self.process_lhs(compiler, connection)
        if self.rhs:
            return f"({column} < 0 OR {column} > 0)", (*params, *params)
        return f"{column} = 0", tuple(params)

    as_mysql = as_sqlite


def install() -> None:
    """From now on there is the lookup."""
    BooleanField.register_lookup(IsTrue)
