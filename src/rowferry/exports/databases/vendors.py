"""The kinds of databases that the engine knows, by Django's name for them (`connection.vendor`)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from rowferry.exports.databases.mysql.traits import MYSQL
from rowferry.exports.databases.postgresql.traits import POSTGRESQL
from rowferry.exports.databases.sqlite.traits import SQLITE
from rowferry.exports.databases.traits import DatabaseTraits

TRAITS: Mapping[str, DatabaseTraits] = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MYSQL}
UNKNOWN = DatabaseTraits()


def traits_of(vendor: str) -> DatabaseTraits:
    """What is known of a kind of database; the defaults for another one."""
    return TRAITS.get(vendor, UNKNOWN)


def untested_mode(connection: BaseDatabaseWrapper) -> str | None:
    """The isolation level or journal mode, if the engine was not tested with it; None = it was, or nobody knows."""
    traits = traits_of(connection.vendor)
    if not traits.mode_sql:
        return None
    with connection.cursor() as cursor:
        cursor.execute(traits.mode_sql)
        mode = str(cursor.fetchone()[-1]).lower().replace("-", " ")
    return None if mode in traits.tested_modes else mode
