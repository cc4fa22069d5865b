"""Triggers that let the database itself refuse to change or delete what is written down for good.

They stop whoever comes in with the program's own rights over rows, not somebody who may change tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

from rowferry.exports.databases.vendors import traits_of

GUARDED = ("rowferry_exportlog", "rowferry_auditanchor")


def names() -> list[str]:
    """Every trigger that has to be there."""
    return [f"{table}_no_{action}" for table in GUARDED for action in ("update", "delete")]


def create_triggers_sql(vendor: str, tables: tuple[str, ...] = GUARDED) -> list[str]:
    """The statements that set the triggers; none for a vendor that is not known."""
    traits = traits_of(vendor)
    if not traits.trigger_action:
        return []
    statements = [
        f"CREATE TRIGGER {table}_no_{action} BEFORE {action.upper()} ON {table} {traits.trigger_action}"
        for table in tables
        for action in ("update", "delete")
    ]
    return [traits.trigger_function, *statements] if traits.trigger_function else statements


def drop_triggers_sql(vendor: str, tables: tuple[str, ...] = GUARDED) -> list[str]:
    """The statements that take the triggers away."""
    traits = traits_of(vendor)
    if not traits.trigger_action:
        return []
    return [
        f"DROP TRIGGER IF EXISTS {table}_no_{action}{traits.trigger_suffix.format(table=table)}"
        for table in tables
        for action in ("update", "delete")
    ]


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that should be there and are not, or are switched off."""
    active_triggers_sql = traits_of(connection.vendor).active_triggers_sql
    if not active_triggers_sql:
        return []
    with connection.cursor() as cursor:
        cursor.execute(active_triggers_sql)
        existing = {row[0] for row in cursor.fetchall()}
    return [name for name in names() if name not in existing]


@contextmanager
def triggers_disabled(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Without the triggers for a while: to empty the whole database, or, in a test, to tamper."""
    _execute(connection, drop_triggers_sql(connection.vendor))
    try:
        yield
    finally:
        _execute(connection, drop_triggers_sql(connection.vendor) + create_triggers_sql(connection.vendor))


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
