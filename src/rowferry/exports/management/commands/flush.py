"""Django's `flush`, which empties the whole database, the log of exports included: tests with transactions end so."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connections

from rowferry.exports.databases import append_only
from rowferry.exports.databases.vendors import traits_of
from rowferry.exports.models import ExportLog


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if not traits_of(connection.vendor).flush_fires_triggers or not _has_log(connection):
            return super().handle(**options)
        with append_only.triggers_disabled(connection):
            return super().handle(**options)


def _has_log(connection: Any) -> bool:
    return ExportLog._meta.db_table in connection.introspection.table_names()
