"""A real fault of the database, in the middle of a read."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField
from django.db.models.sql.compiler import SQLCompiler

from rowferry.assets.models import Asset
from rowferry.exports.encoding.value_types import ValueType
from rowferry.exports.resources.columns import Column
from rowferry.exports.resources.resource import Resource


class UnlessBroken(Func):
    """A value of which every database makes an error once it comes to a row that says `broken`."""

    output_field = TextField()
    template = "CASE WHEN %(expressions)s = 'broken' THEN (SELECT '1' UNION SELECT '2') ELSE '0' END"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[Any] | tuple[Any, ...]]:
        """What is volatile PostgreSQL works out after the sort, so that rows have been sent before the broken one."""
        broken = "random() >= 0 AND %(expressions)s = 'broken'"
        template = f"CASE WHEN {broken} THEN (SELECT '1' UNION SELECT '2') ELSE '0' END"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[Any] | tuple[Any, ...]]:
        """SQLite would take the first of two rows; of what is no JSON it does make an error."""
        return self.as_sql(compiler, connection, template="json_extract(replace(%(expressions)s, ' ', ''), '$')")


class Unreadable(Resource):
    """Assets, as long as none has the name `broken`. On SQLite their names have to be numbers."""

    model = Asset
    name = "unreadable"
    columns = (Column("id"), Column("number", UnlessBroken(F("name")), ValueType.TEXT))


def break_row(number: int) -> None:
    """Let the read fail at the bulk asset of this number."""
    Asset.objects.update(name="1")
    Asset.objects.filter(asset_tag=f"BULK-{number:06d}").update(name="broken")
