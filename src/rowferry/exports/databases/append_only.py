"""Triggers that let the database itself refuse to change or delete what is written down for good.

They stop whoever comes in with the program's own rights over rows, not somebody who may change tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

GUARDED = ("rowferry_exportlog", "rowferry_auditanchor")
REFUSAL = "The log of exports is append-only."
REFUSE = {
    "sqlite": f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "mysql": f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSAL}'",
    "postgresql": "FOR EACH ROW EXECUTE FUNCTION rowferry_append_only()",
}
"""What a trigger does, by vendor; a database that is none of these goes without."""
FUNCTION = (
    "CREATE OR REPLACE FUNCTION rowferry_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
)
STANDING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "mysql": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
}


def names() -> list[str]:
    """Every trigger that has to be there."""
    return [f"{table}_no_{action}" for table in GUARDED for action in ("update", "delete")]


def create_triggers_sql(vendor: str, tables: tuple[str, ...] = GUARDED) -> list[str]:
    """The statements that set the triggers."""
    if vendor not in REFUSE:
        return []
    statements = [
        f"CREATE TRIGGER {table}_no_{action} BEFORE {action.upper()} ON {table} {REFUSE[vendor]}"
        for table in tables
        for action in ("update", "delete")
    ]
    return [FUNCTION, *statements] if vendor == "postgresql" else statements


def drop_triggers_sql(vendor: str, tables: tuple[str, ...] = GUARDED) -> list[str]:
    """The statements that take the triggers away."""
    if vendor not in REFUSE:
        return []
    suffix = {"postgresql": " ON {table}"}.get(vendor, "")
    return [
        f"DROP TRIGGER IF EXISTS {table}_no_{action}{suffix.format(table=table)}"
        for table in tables
        for action in ("update", "delete")
    ]


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that should be there and are not, or are switched off."""
    if connection.vendor not in STANDING:
        return []
    with connection.cursor() as cursor:
        cursor.execute(STANDING[connection.vendor])
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
