"""What has to be true of a project before the engine can keep its promises."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections, router

from rowferry.exports import conf
from rowferry.exports.databases import READERS
from rowferry.exports.databases.connection_context import CONTEXT, PREPARE, function_of
from rowferry.exports.databases.vendors import traits_of, untested_mode
from rowferry.exports.resources import registry
from rowferry.exports.resources.conversions import value_of


@checks.register
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Leases must outlive heartbeats; instants need time zones."""
    problems: list[checks.CheckMessage] = []
    if not settings.USE_TZ:
        problems.append(
            checks.Error(
                "Rowferry needs USE_TZ = True: an instant without a zone can't be exported truthfully.",
                id="exports.E001",
            )
        )
    if conf.seconds("LEASE") < 2 * conf.seconds("HEARTBEAT"):
        problems.append(checks.Error("ROWFERRY_LEASE must be at least twice ROWFERRY_HEARTBEAT.", id="exports.E002"))
    if conf.number("IMMEDIATE_BELOW") > conf.number("QUEUE_ABOVE") + 1:
        problems.append(checks.Error("ROWFERRY_IMMEDIATE_BELOW is above ROWFERRY_QUEUE_ABOVE.", id="exports.E003"))
    return problems


@checks.register
def check_columns(**_: Any) -> list[checks.CheckMessage]:
    """A field that reads by Python takes time, and its column can't be sorted or searched."""
    return [
        checks.Warning(
            f"{resource.name}.{column.name} reads each value by its field's from_db_value, which is slow. Give it "
            "kind=ValueType.TEXT to export the text as it is stored.",
            id="exports.W002",
        )
        for resource in registry.resources()
        for column in resource.by_name.values()
        if getattr(column.compute, "func", None) is value_of
    ]


@checks.register
def check_connection_functions(**_: Any) -> list[checks.CheckMessage]:
    """What the project sets on its connections must reach the readers."""
    problems: list[checks.CheckMessage] = []
    for setting in (CONTEXT, PREPARE):
        try:
            function_of(setting)
        except ImportError as error:
            problems.append(checks.Error(f"{setting} names no function: {error}.", id="exports.E004"))
    if conf.text(CONTEXT) and not conf.text(PREPARE):
        problems.append(checks.Error(f"{CONTEXT} is set, but no {PREPARE} that would use it.", id="exports.E004"))
    return problems


@checks.register
def check_databases(**_: Any) -> list[checks.CheckMessage]:
    """Only of these databases it is known that every block of rows comes from one snapshot, and how values are
    stored."""
    vendors = {
        resource.name: connections[router.db_for_read(resource.model)].vendor for resource in registry.resources()
    }
    return [
        checks.Error(
            f"{name} lies in a database of the kind {vendor!r}. Known are: {', '.join(READERS)}.",
            hint="To export from it all the same, by Django and without the promise of one snapshot, put exports.E005 "
            "into SILENCED_SYSTEM_CHECKS.",
            id="exports.E005",
        )
        for name, vendor in vendors.items()
        if vendor not in READERS
    ]


@checks.register("database")
def check_wal(databases: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Without WAL a long read of SQLite holds up every writer."""
    problems: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if traits_of(connection.vendor).is_file and (mode := untested_mode(connection)):
            problems.append(
                checks.Warning(
                    f"SQLite database {alias!r} is in {mode} mode: use WAL, or exports hold up writers.",
                    id="exports.W001",
                )
            )
    return problems
