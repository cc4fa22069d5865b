"""Search in upper and lower case by Unicode: the lookup `contains_any_case`.

PostgreSQL folds case by Unicode itself. MariaDB does too, but its default collation also ignores accents, so the search
names a collation that does not. SQLite's LIKE knows the letters of ASCII only: for a text with others it takes any
character in their place, and a function of ours compares what is left.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import Field
from django.db.models.lookups import IContains
from django.db.models.sql.compiler import SQLCompiler

from rowferry.exports.databases.collations import ACCENTS, collation

SHARP_S = {"ß", "ẞ"}
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class ContainsAnyCase(IContains):
    """Django's `icontains`, with every letter on SQLite too."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        sql, params = self.as_sql(compiler, connection)
        if str(self.rhs).isascii():
            return sql, list(params)
        *before, pattern = params
        value, value_params = self.process_lhs(compiler, connection)
        both = f"({sql} AND rowferry_contains(CAST({value} AS BLOB), %s))"
        return both, [*before, BEYOND_ASCII.sub("_", str(pattern)), *value_params, fold(str(self.rhs))]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """`ß` has no capital letter there, and `ẞ` no small one."""
        sql, params = self.as_sql(compiler, connection)
        if not SHARP_S & set(str(self.rhs)):
            return sql, list(params)
        value, value_params = self.process_lhs(compiler, connection)
        one = "REPLACE({}, 'ẞ', 'ß')"
        return f"{one.format(value)} LIKE {one.format('UPPER(%s)')}", [*value_params, *params[len(value_params) :]]

    def as_mysql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Converted first, because a collation has to be one of the column's character set."""
        sql, params = self.as_sql(compiler, connection)
        name = collation(connection, ACCENTS)
        if name is None:
            return sql, list(params)
        value, _ = self.process_lhs(compiler, connection)
        return sql.replace(value, f"CONVERT({value} USING utf8mb4) COLLATE {name}", 1), list(params)


def fold(text: str) -> str:
    """The text without the difference of upper and lower case, character by character: `ß` stays one."""
    folded = text.casefold()
    return folded if len(folded) == len(text) else "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    return next((one for one in (character.casefold(), character.lower()) if len(one) == 1), character)


def contains(stored: bytes | None, folded: str) -> bool:
    """Whether a stored text, which may be no UTF-8, holds a folded one."""
    return stored is not None and folded in fold(stored.decode("utf-8", "replace"))


def add_function(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """On every connection to SQLite, the readers' own too."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("rowferry_contains", 2, contains, deterministic=True)


def install() -> None:
    """From now on there is the lookup."""
    Field.register_lookup(ContainsAnyCase, "contains_any_case")
    connection_created.connect(add_function, dispatch_uid="rowferry_contains")
